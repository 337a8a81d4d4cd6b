"""A child that is waited for once, with all that wait4(2) tells."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.hosts.child import Child, Reaped
from pytest_tfkernel.model.processes import ExitStatus
from pytest_tfkernel.processes.pidfds import is_dead

Start = Callable[..., tuple[Child, "subprocess.Popen[bytes]"]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start(command: str = "exec sleep 60") -> tuple[Child, subprocess.Popen[bytes]]:
        started.append(subprocess.Popen(["sh", "-c", command]))
        return Child(started[-1]), started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_one_that_lives_is_not_waited_for(start: Start) -> None:
    child, popen = start()
    assert (child.reap(), child.returncode) == (None, None)
    assert child.process.pid == popen.pid
    assert child.process.start_time == proc.start_time(popen.pid)


@pytest.mark.parametrize(
    ("command", "status", "returncode"),
    [
        ("exit 3", ExitStatus(code=3), 3),
        ("exit 0", ExitStatus(code=0), 0),
        ("kill -TERM $$", ExitStatus(signal=signal.SIGTERM), -signal.SIGTERM),
    ],
)
def test_one_that_has_died_is_told_of_once_for_all(
    start: Start, command: str, status: ExitStatus, returncode: int
) -> None:
    child, popen = start(command)
    assert is_dead(child.pidfd, 60)
    reaped = child.reap()
    assert reaped is not None
    assert (reaped.status, child.returncode, popen.returncode) == (status, returncode, returncode)
    assert reaped.usage is not None
    assert reaped.usage.max_rss > 1 << 16
    assert reaped.child_faults == 0
    assert child.reap() is reaped
    # Popen has its answer, and doesn't ask for another.
    assert popen.poll() == returncode


def test_where_somebody_else_has_waited_nothing_is_known(start: Start) -> None:
    child, popen = start()
    popen.kill()
    os.waitpid(popen.pid, 0)
    reaped = child.reap()
    assert reaped == Reaped(None, None, reaped.time if reaped else 0)
    assert reaped is not None
    assert (reaped.status, child.returncode) == (None, 0)


def test_its_death_is_waited_for_by_all_who_want_to_know(start: Start) -> None:
    child, popen = start()

    async def play() -> list[Reaped]:
        waiting = [asyncio.create_task(child.dead()) for _ in range(2)]
        await asyncio.sleep(0)
        popen.kill()
        return await asyncio.wait_for(asyncio.gather(*waiting), 60)

    first, second = asyncio.run(play())
    assert first is second is child.reaped
    assert str(first.status) == "SIGKILL"
