"""How long the steps of a trial took, read from the moments of its timeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_tfkernel.report.document import Moment


@dataclass(frozen=True)
class Latency:
    """From the first moment that a trial has of `since` to its first one named `until`; from its begin where empty."""

    title: str
    since: tuple[str, ...]
    until: str


NOTICED = Latency("From the death until it is noticed", ("death",), "noticed")
RESTART = Latency("Restart: from request to start", ("settled", "noticed"), "restarted")
LATENCIES = (
    Latency("First kernel: from request to start", (), "started"),
    Latency("From the fault until the process is dead", ("fault",), "death"),
    NOTICED,
    Latency("From then until nothing is left", ("noticed",), "settled"),
    RESTART,
    Latency("From the restart until the session is rebuilt", ("restarted",), "rebuilt"),
)


def seconds_of(timeline: Iterable[Moment], latency: Latency) -> float | None:
    """How long it took in one trial; None where it did not take place."""
    first: dict[str, float] = {}
    for moment in timeline:
        first.setdefault(moment.name, moment.seconds)
    until = first.get(latency.until)
    since = next((first[name] for name in latency.since if name in first), None) if latency.since else 0.0
    return until - since if until is not None and since is not None and until >= since else None
