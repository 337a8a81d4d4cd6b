"""Pidfds: of this very process, and deaths that are waited for without looking again and again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes import pidfds


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def identity(process: subprocess.Popen[bytes]) -> ProcessId:
    return ProcessId(process.pid, proc.start_time(process.pid) or 0)


def test_one_tells_of_the_death(sleeper: subprocess.Popen[bytes]) -> None:
    pidfd = pidfds.open_pidfd(identity(sleeper))
    assert pidfd is not None
    assert not pidfds.is_dead(pidfd)
    sleeper.kill()
    assert pidfds.is_dead(pidfd, 60)
    # A zombie is dead, and one that was reaped is.
    sleeper.wait()
    assert pidfds.is_dead(pidfd)
    pidfds.close(pidfd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(pidfd)


def test_there_is_none_of_another_process_with_that_pid(sleeper: subprocess.Popen[bytes]) -> None:
    assert pidfds.open_pidfd(ProcessId(sleeper.pid, 1)) is None


def test_there_is_none_of_a_process_that_is_gone(sleeper: subprocess.Popen[bytes]) -> None:
    process = identity(sleeper)
    sleeper.kill()
    sleeper.wait()
    assert pidfds.open_pidfd(process) is None


def test_what_stands_at_its_number_now_is_left_open() -> None:
    reader, writer = os.pipe()
    try:
        pidfds.close(reader)
        os.write(writer, b"x")
        assert os.read(reader, 1) == b"x"
    finally:
        os.close(reader)
        os.close(writer)
    # And a number that is free is no error.
    pidfds.close(reader)


class TestTheFirstOfSeveral:
    def test_is_waited_for(self, sleeper: subprocess.Popen[bytes]) -> None:
        with subprocess.Popen(["sleep", "60"]) as other:
            living, dying = identity(sleeper), identity(other)
            other.kill()
            pidfds.wait_for_any([living, dying], 60)
            stat = proc.read_stat(other.pid)
            assert stat is not None
            assert stat.state == "Z"
        assert sleeper.poll() is None

    def test_that_is_gone_already_is_not_waited_for(
        self, sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits: list[float] = []

        def ready(seconds: float, *_: int) -> set[int]:
            waits.append(seconds)
            return set()

        monkeypatch.setattr(pidfds, "ready", ready)
        pidfds.wait_for_any([identity(sleeper), ProcessId(sleeper.pid, 1)], 60)
        assert max(waits) < 1
        waits.clear()
        pidfds.wait_for_any([identity(sleeper)], 60)
        assert waits == [60]


# A process that can't be looked at is no dead one.
CODE = """
import os, resource
from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes import pidfds

me = ProcessId(os.getpid(), proc.start_time(os.getpid()))
free = os.open("/dev/null", os.O_RDONLY)
os.close(free)
# Room for the pidfd, and for nothing else.
resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, free + 1))
try:
    print(pidfds.open_pidfd(me))
except OSError as error:
    print(error.strerror)
print(pidfds.wait_for_any([me], 0.01))
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free + 1))
try:
    print(pidfds.open_pidfd(me))
except OSError as error:
    print(error.strerror)
os.fstat(0)
try: os.fstat(free)
except OSError: print("nothing is left open")
"""


def test_without_room_to_look_it_is_an_error() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["Too many open files", "None", "Too many open files", "nothing is left open"]
