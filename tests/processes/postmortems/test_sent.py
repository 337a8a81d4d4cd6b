"""Signals that were sent to a process, and those that it has outlived."""

from __future__ import annotations

import os
import signal

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.postmortems.sent import Sent


def test_what_was_sent_before_an_answered_request_is_outlived() -> None:
    sent = Sent(ProcessId(os.getpid(), proc.start_time(os.getpid()) or 0))
    sent.note(6)
    sent.ask(1)
    sent.note(6)
    assert sent.deadly([6, 6]) == [6, 6]
    sent.hear(1)
    assert sent.deadly([6, 6]) == [6]
    sent.hear(1)
    assert sent.deadly([6, 6, 9]) == [6, 9]


@pytest.mark.parametrize("answer", [0, 2, None, "1"])
def test_another_message_says_nothing(answer: object) -> None:
    sent = Sent(ProcessId(os.getpid(), proc.start_time(os.getpid()) or 0))
    sent.note(6)
    sent.ask(1)
    sent.hear(answer)
    assert sent.deadly([6]) == [6]


def test_the_answer_of_a_process_that_is_gone_says_nothing() -> None:
    sent = Sent(ProcessId(os.getpid(), 1))
    sent.note(6)
    sent.ask(1)
    sent.hear(1)
    assert sent.deadly([6]) == [6]


def test_what_the_process_holds_back_is_not_outlived() -> None:
    pid = os.posix_spawn("/bin/sleep", ["sleep", "60"], {}, setsigmask=[signal.SIGUSR1])
    try:
        sent = Sent(ProcessId(pid, proc.start_time(pid) or 0))
        for number in (signal.SIGUSR1, signal.SIGABRT):
            sent.note(number)
        sent.ask(1)
        sent.hear(1)
        # However often it is heard.
        sent.hear(1)
        sent.ask(2)
        sent.hear(2)
        assert sent.deadly([signal.SIGUSR1, signal.SIGABRT, signal.SIGABRT]) == [signal.SIGUSR1, signal.SIGABRT]
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
