"""Facts: what was seen in the trial of a scenario, as far as it came."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.processes import Leftover
from pytest_tfkernel.model.trials import Setting


class _Unseen(enum.Enum):
    UNSEEN = enum.auto()

    def __repr__(self) -> str:
        return "unseen"


# The default of a fact before it is seen. Of any type, since no judge is asked of facts that lack one.
UNSEEN: Any = _Unseen.UNSEEN

F_co = TypeVar("F_co", covariant=True)


@dataclass(frozen=True)
class Facts(Generic[F_co]):
    """What was seen in the trial of a scenario: `facts` is a frozen dataclass of the scenario's own, plain data.

    `error` says why they are not all there; the judges say UNKNOWN then. `left` are processes that live still, where
    the scenario looks for them.
    """

    setting: Setting
    interpreter: Interpreter
    facts: F_co
    error: str = ""
    left: tuple[Leftover, ...] = ()


def unseen(facts: Any) -> tuple[str, ...]:
    """The names of the facts that a trial which came to its end would have, and this one lacks."""
    return tuple(one.name for one in dataclasses.fields(facts) if getattr(facts, one.name) is UNSEEN)


def plain(facts: Any) -> Any:
    """Facts as dicts, lists and what stands in them. What has kept its default was not seen, and is left out."""
    if dataclasses.is_dataclass(facts) and not isinstance(facts, type):
        seen = {one.name: (getattr(facts, one.name), one.default) for one in dataclasses.fields(facts)}
        return {name: plain(fact) for name, (fact, default) in seen.items() if fact is not default}
    if isinstance(facts, Mapping):
        return {name: plain(fact) for name, fact in facts.items()}
    return [plain(fact) for fact in facts] if isinstance(facts, (list, tuple)) else facts
