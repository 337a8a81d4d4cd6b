"""What must follow a fault, in words."""

from __future__ import annotations

from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer


def test_a_death_is_told_with_its_cause_and_who_did_it() -> None:
    expected = Dies(ExitStatus(signal=9), Cause.OOM_KILL, Killer.OOM_KILLER)
    assert str(expected) == "dies of SIGKILL (cause: oom-kill; killed by: the OOM killer)"


def test_a_life_is_told_with_its_errors() -> None:
    assert str(Lives(("IndexError", "KeyError"))) == "lives, with IndexError or KeyError"
