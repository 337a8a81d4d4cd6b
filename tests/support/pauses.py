"""A clock that goes on while somebody sleeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Time:
    """It goes `pace` times as fast as was slept; something may happen meanwhile."""

    now: float = 0.0
    pace: float = 1.0
    pauses: list[float] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds * self.pace
        self.meanwhile()
