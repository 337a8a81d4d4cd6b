"""What is known of processes, as words."""

from __future__ import annotations

import os
import signal

import pytest

from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer, Leftover, PostMortem, ProcessId, signal_name


@pytest.mark.parametrize("code", [0, 1, 255])
def test_a_code_is_read_from_wait(code: int) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(code)
    assert ExitStatus.from_wait(os.waitpid(pid, 0)[1]) == ExitStatus(code=code)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, 40])
def test_a_signal_is_read_from_wait(number: int) -> None:
    pid = os.fork()
    if pid == 0:
        signal.pause()
    os.kill(pid, number)
    assert ExitStatus.from_wait(os.waitpid(pid, 0)[1]) == ExitStatus(signal=number)


def test_a_core_dump_is_no_part_of_the_signal() -> None:
    assert ExitStatus.from_wait(signal.SIGSEGV | 0x80) == ExitStatus(signal=signal.SIGSEGV)


def test_an_exit_status_is_one_of_both() -> None:
    for both in ({}, {"code": 0, "signal": 9}):
        with pytest.raises(ValueError, match="exactly one"):
            ExitStatus(**both)


def test_names_are_for_people() -> None:
    assert (str(ExitStatus(code=0)), str(ExitStatus(signal=9)), signal_name(40)) == (
        "exit code 0",
        "SIGKILL",
        "signal 40",
    )
    process = ProcessId(7, 100)
    assert str(Leftover(process, 1, "Z", "sleep 5")) == "zombie 7 (sleep 5)"
    assert str(Leftover(process, 1, "S", "")) == "process 7 (no command line)"


def test_a_post_mortem_says_what_is_not_known() -> None:
    unknown = PostMortem(
        ProcessId(7, 100), 1, None, Cause.UNKNOWN, Killer.UNKNOWN, None, 1.25, None, "", "", "x\n", 0, 9
    )
    assert (
        unknown.headline() == "kernel 7 died after 1.2 s of an unknown exit status (cause: unknown; killed by: unknown)"
    )
    assert unknown.describe().splitlines()[1:] == [
        "--- stdout: empty",
        "--- stderr (9 bytes before this were cut)",
        "x",
    ]
