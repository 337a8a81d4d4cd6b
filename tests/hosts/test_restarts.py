"""Who starts a dead kernel again: the restarter of jupyter_client unasked, or a person."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable

import pytest

from hosted_kernels import MANAGED, host_pid
from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.processes import ExitStatus

StartKernel = Callable[..., Kernel]
_DEATHS_UNTIL_GIVEN_UP = 6


def _children(pid: int) -> list[int]:
    return [one["pid"] for one in proc.descendants(pid) if one["parent"] == pid and one["state"] != "Z"]


@pytest.fixture
def kill_unseen(eventually: Callable[[Callable[[], object]], None]) -> Callable[[Kernel, int], None]:
    """Kill so many generations of a kernel while nobody looks; returns when the last is dead."""

    def kill(kernel: Kernel, deaths: int) -> None:
        host, seen = host_pid(kernel), set[int]()
        for _ in range(deaths):
            eventually(lambda: set(_children(host)) - seen)
            (pid,) = set(_children(host)) - seen
            os.kill(pid, signal.SIGKILL)
            seen.add(pid)
        eventually(lambda: not _children(host) or set(_children(host)) - seen)

    return kill


def test_unasked_it_is_a_new_process_with_nothing_of_the_old(kernel: Kernel) -> None:
    kernel.execute("x = 1")
    first = kernel.life.process
    kernel.inject("sigkill")
    kernel.restart(asked=False)
    assert kernel.generation == 2
    assert kernel.life.process != first
    assert str(kernel.execute("x").error).startswith("NameError")


@MANAGED
def test_a_living_one_is_restarted_by_nobody_and_that_is_said(kernel: Kernel) -> None:
    with pytest.raises(KernelStartError, match="the kernel lives, so its manager doesn't restart it"):
        kernel.restart(asked=False)
    assert kernel.execute("1 + 1").value == 2


@MANAGED
def test_asked_it_ends_the_living_one(kernel: Kernel) -> None:
    kernel.restart()
    assert kernel.generation == 2
    assert kernel.post_mortems[-1].exit_status == ExitStatus(code=0)


def test_the_pace_of_the_restarter_is_its_own_unless_the_spec_says_otherwise(start_hosted: StartKernel) -> None:
    kernel = start_hosted(restart_poll=None)
    kernel.inject("sigkill")
    poll = select.poll()
    poll.register(kernel._generations._host._channel.fileno(), select.POLLIN)  # type: ignore[attr-defined]
    # It looks every 3 s, and has looked last when, at the earliest, the kernel was started.
    assert poll.poll(200) == []
    kernel.restart(asked=False)
    assert kernel.execute("1").value == 1


def test_generations_that_nobody_saw_are_counted(
    start_hosted: StartKernel, kill_unseen: Callable[[Kernel, int], None]
) -> None:
    kernel = start_hosted()
    kill_unseen(kernel, 3)
    kernel.restart(asked=False)
    assert kernel.generation == 4
    assert [(one.generation, one.exit_status) for one in kernel.post_mortems] == [
        (number, ExitStatus(signal=signal.SIGKILL)) for number in (1, 2, 3)
    ]
    assert kernel.execute("1").value == 1


def test_after_six_deaths_it_gives_up_and_says_so(
    start_hosted: StartKernel, kill_unseen: Callable[[Kernel, int], None]
) -> None:
    kernel = start_hosted()
    kill_unseen(kernel, _DEATHS_UNTIL_GIVEN_UP)
    with pytest.raises(KernelStartError, match=r"restarter of jupyter_client has given up.* call restart\(\)"):
        kernel.restart(asked=False)
    assert len(kernel.post_mortems) == _DEATHS_UNTIL_GIVEN_UP
    kernel.restart()
    assert (kernel.generation, kernel.execute("1").value) == (_DEATHS_UNTIL_GIVEN_UP + 1, 1)
    kernel.inject("sigkill")
    kernel.restart(asked=False)
    assert kernel.execute("1").value == 1


def test_asked_it_starts_again_also_when_it_gave_up_unseen(
    start_hosted: StartKernel, kill_unseen: Callable[[Kernel, int], None]
) -> None:
    kernel = start_hosted()
    kill_unseen(kernel, _DEATHS_UNTIL_GIVEN_UP)
    kernel.restart()
    assert (kernel.generation, kernel.execute("1").value) == (_DEATHS_UNTIL_GIVEN_UP + 1, 1)


def test_shut_down_it_stays_dead_and_can_be_started_again(start_hosted: StartKernel) -> None:
    kernel = start_hosted()
    host = host_pid(kernel)
    kernel.shutdown()
    assert proc.start_time(host) is None
    kernel.restart()
    assert (kernel.generation, kernel.execute("1").value) == (2, 1)


def test_a_generation_that_nobody_saw_ends_with_the_shutdown(
    start_hosted: StartKernel, kill_unseen: Callable[[Kernel, int], None], await_death: Callable[[int], None]
) -> None:
    kernel = start_hosted()
    host = host_pid(kernel)
    kill_unseen(kernel, 2)
    unseen = _children(host)
    kernel.shutdown()
    for pid in unseen:
        await_death(pid)
