"""What a guarantee is, and how a judge becomes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.model.facts import Facts, unseen
from pytest_tfkernel.model.trials import Setting, Verdict

Judge = Callable[[Any], Verdict]


@dataclass(frozen=True)
class Guarantee:
    """One thing the suite asserts, with a stable id.

    `judge` is a pure function of a trial's observation. `applies` says in which settings it is
    asked; `where` says the same for people. `control` names the misbehaving kernel which shows that
    the judge can fail.
    """

    id: str
    statement: str
    where: str
    control: str
    applies: Callable[[Setting], bool]
    decide: Judge

    def judge(self, observation: Any) -> Verdict:
        """The verdict; a judge that can't make sense of what it sees says UNKNOWN, and none is asked of too little."""
        try:
            missing = unseen(observation.facts) if isinstance(observation, Facts) and not observation.error else ()
            if missing:
                return Verdict.unknown(f"not seen: {', '.join(missing)}")
            return self.decide(observation)
        except Exception as error:  # noqa: BLE001 - what it sees may be broken in any way
            return Verdict.unknown(f"the judge failed on this observation: {type(error).__name__}: {error}")


def guarantee(
    name: str, *, where: str, applies: Callable[[Setting], bool], control: str
) -> Callable[[Judge], Guarantee]:
    """Make a guarantee of a judge, whose docstring is the statement."""

    def make(judge: Judge) -> Guarantee:
        statement = " ".join((judge.__doc__ or "").split())
        return Guarantee(name, statement, where, control, applies, judge)

    return make
