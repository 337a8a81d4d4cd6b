"""What each way to end means."""

from __future__ import annotations

import signal
from collections.abc import Collection

import pytest

from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer
from pytest_tfkernel.processes.postmortems.causes import ended_by_itself, judge

KILL, TERM, ABORT = signal.SIGKILL, signal.SIGTERM, signal.SIGABRT
CRASHES = ("SEGV", "BUS", "FPE", "ILL", "ABRT", "TRAP", "SYS")


def by(number: int) -> ExitStatus:
    return ExitStatus(signal=number)


@pytest.mark.parametrize("code", [0, 1, 3, 137])
@pytest.mark.parametrize("deadline", [False, True])
@pytest.mark.parametrize("oom_killed", [False, True])
@pytest.mark.parametrize("sent", [(), (KILL,), (TERM, KILL)])
def test_an_exit_is_its_own_whatever_we_meant(
    code: int, deadline: bool, oom_killed: bool, sent: Collection[int]
) -> None:
    found = judge(ExitStatus(code=code), sent, oom_killed=oom_killed, deadline=deadline)
    assert found == (Cause.EXIT, Killer.SELF)


@pytest.mark.parametrize(
    ("number", "sent", "oom_killed", "deadline", "cause", "killer"),
    [
        (KILL, (KILL,), False, False, Cause.SIGNAL, Killer.US),
        (KILL, (KILL,), False, True, Cause.DEADLINE, Killer.US),
        # Ours was on its way, too.
        (KILL, (KILL,), True, False, Cause.SIGNAL, Killer.US),
        (KILL, (TERM,), False, False, Cause.SIGNAL, Killer.UNKNOWN),
        (KILL, (), False, False, Cause.SIGNAL, Killer.UNKNOWN),
        (KILL, (), True, False, Cause.OOM_KILL, Killer.OOM_KILLER),
        (KILL, (TERM,), True, False, Cause.OOM_KILL, Killer.OOM_KILLER),
        # It was killed before we came to it.
        (KILL, (), True, True, Cause.OOM_KILL, Killer.OOM_KILLER),
        (KILL, (), False, True, Cause.SIGNAL, Killer.UNKNOWN),
        (TERM, (TERM,), False, False, Cause.SIGNAL, Killer.US),
        (TERM, (KILL,), False, True, Cause.SIGNAL, Killer.UNKNOWN),
        # The OOM killer sends no other signal.
        (TERM, (), True, False, Cause.SIGNAL, Killer.UNKNOWN),
        (ABORT, (), True, False, Cause.SIGNAL, Killer.SELF),
        (ABORT, (ABORT,), False, False, Cause.SIGNAL, Killer.US),
        (ABORT, (KILL,), False, True, Cause.SIGNAL, Killer.SELF),
        (40, (40,), False, True, Cause.DEADLINE, Killer.US),
        (40, (), False, False, Cause.SIGNAL, Killer.UNKNOWN),
    ],
)
def test_a_signal_is_of_whom_it_can_be(
    number: int, sent: Collection[int], oom_killed: bool, deadline: bool, cause: Cause, killer: Killer
) -> None:
    assert judge(by(number), sent, oom_killed=oom_killed, deadline=deadline) == (cause, killer)


def test_nobody_is_too_late_unless_that_is_said() -> None:
    assert judge(by(KILL), (KILL,), oom_killed=False) == (Cause.SIGNAL, Killer.US)


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_is_the_kernels_own(name: str) -> None:
    assert judge(by(signal.Signals[f"SIG{name}"]), (), oom_killed=False) == (Cause.SIGNAL, Killer.SELF)


@pytest.mark.parametrize("number", sorted(set(signal.Signals) - {signal.Signals[f"SIG{name}"] for name in CRASHES}))
def test_any_other_signal_is_of_unknown_origin(number: int) -> None:
    assert judge(by(number), (), oom_killed=False) == (Cause.SIGNAL, Killer.UNKNOWN)


def test_a_note_says_that_we_came_too_late() -> None:
    assert ended_by_itself("no reply for 1 s, so it was ended") == "no reply for 1 s, and was gone before we ended it"
    assert ended_by_itself("it was ended without being asked") == (
        "it was ended without being asked, but was gone before"
    )
