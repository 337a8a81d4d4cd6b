"""What verdicts of the suite and outcomes of tests have in common: it held, it failed, as is known, or nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from pytest_tfkernel.model.trials import State
from pytest_tfkernel.report.compare.differences import Change
from pytest_tfkernel.report.document import OutcomeWord, Test, Verdict

T = TypeVar("T")

_OUTCOMES: Mapping[OutcomeWord, State] = {
    "passed": State.PASS,
    "xpassed": State.PASS,
    "failed": State.FAIL,
    "error": State.FAIL,
    "skipped": State.UNKNOWN,
    # It was not shown to work, and nobody promised that it would.
    "xfailed": State.UNKNOWN,
}
_WORST_FIRST = (State.FAIL, State.KNOWN, State.UNKNOWN, State.PASS)


def of_verdict(verdict: Verdict) -> State:
    """Its state."""
    return State(verdict.verdict)


def of_test(test: Test) -> State:
    """Its state."""
    return _OUTCOMES[test.outcome]


def worse(one: T, other: T, state: Callable[[T], State]) -> T:
    """The worse of two; the last one of equals."""
    return one if _WORST_FIRST.index(state(one)) < _WORST_FIRST.index(state(other)) else other


def change(ref: State | None, changed: State | None) -> Change | None:
    """What became of a state; None stands for what is not there, and for no change."""
    if ref is changed:
        return None
    if changed is None:
        return Change.MISSING
    if changed is State.FAIL:
        return Change.LOST if ref is State.PASS else Change.FAILING
    if ref is None:
        return Change.NEW
    if changed is State.UNKNOWN:
        return Change.UNKNOWN
    if changed is State.KNOWN:
        return Change.KNOWN if ref is State.PASS else Change.LISTED
    return Change.CHECKED if ref is State.UNKNOWN else Change.FIXED
