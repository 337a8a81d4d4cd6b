"""What must be gone when pytest has been killed."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.runner_death import DEADLINE, FAULT, NAME, RunnerDeath


@guarantee(
    "runner-death-leaves-nothing",
    where=f"the trial of `{FAULT}`",
    applies=has_example_of(NAME),
    control="stops_its_supervisor",
)
def runner_death_leaves_nothing(seen: Facts[RunnerDeath]) -> Verdict:
    """After SIGKILL to pytest, no process of ours exists within 2 s, not even a daemon with an empty environment."""
    if seen.error:
        return Verdict.unknown(seen.error)
    started, seconds = seen.facts.started, seen.facts.seconds
    if seen.left:
        shown = ", ".join(map(str, seen.left))
        return Verdict.failed(f"{len(seen.left)} of {started} alive after {seconds:g} s: {shown}")
    if not started:
        return Verdict.unknown("nothing was there that the death of pytest could have left")
    if seconds > DEADLINE:
        return Verdict.unknown(f"all were gone after {seconds:.2f} s, but that look came too late to tell")
    return Verdict.passed(f"{started} processes gone after {seconds:.2f} s")
