"""One child of pytest's own process, started past `subprocess`."""

from __future__ import annotations

import json
import os
import posix
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pytest_tfkernel._child import originals, proc
from pytest_tfkernel.processes.spawning import Spawned

# Says which descriptors it has, and which signals it blocks.
SAY = """
import json, os, signal
names = [name for name in os.listdir("/proc/self/fd") if os.path.lexists("/proc/self/fd/" + name)]
blocked = [int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, [])]
print(json.dumps([[*map(int, names)], os.readlink("/proc/self/fd/0"), blocked]))
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        if os.path.lexists(f"/proc/self/fd/{end}"):
            os.close(end)


def read_all(reader: int) -> str:
    with os.fdopen(os.dup(reader)) as file:
        return file.read()


def test_it_has_what_it_was_given_and_no_copy_of_it(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    spawned = Spawned([sys.executable, "-I", "-S", "-c", SAY], {1: writer, 2: 2, 7: reader})
    os.close(writer)
    descriptors, null, blocked = json.loads(read_all(reader))
    assert spawned.wait(60)
    # And what whoever started pytest has left open for all.
    assert {*descriptors} >= {0, 1, 2, 7}
    assert all(os.get_inheritable(one) for one in {*descriptors} - {0, 1, 2, 7})
    # Ctrl-C is for pytest.
    assert (null, signal.SIGINT in blocked) == (os.devnull, True)


def test_its_targets_may_be_the_sources_of_others(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    other_reader, other_writer = os.pipe()
    try:
        code = f"import os; os.write({other_writer}, b'to the first'); os.write({writer}, b'to the second')"
        spawned = Spawned([sys.executable, "-I", "-S", "-c", code], {other_writer: writer, writer: other_writer, 2: 2})
        assert spawned.wait(60)
        assert (os.read(reader, 100), os.read(other_reader, 100)) == (b"to the first", b"to the second")
    finally:
        os.close(other_reader)
        os.close(other_writer)


class TestItsEnd:
    @pytest.fixture
    def spawned(self) -> Iterator[Spawned]:
        spawned = Spawned(["/bin/sleep", "60"], {2: 2})
        yield spawned
        spawned.kill()
        spawned.wait(60)

    def test_is_waited_for_and_reaped(self, spawned: Spawned) -> None:
        assert not spawned.wait(0)
        spawned.kill()
        assert spawned.wait(60)
        assert proc.start_time(spawned.pid) is None
        # And its pidfd is closed.
        assert [one.is_ours() for one in spawned.owned] == [False]

    def test_is_known_where_somebody_else_has_waited(self, spawned: Spawned) -> None:
        os.kill(spawned.pid, signal.SIGKILL)
        os.waitpid(spawned.pid, 0)
        assert spawned.wait(60)

    def test_is_known_without_a_pidfd_too(self, spawned: Spawned) -> None:
        (owned,) = spawned.owned
        os.close(owned.number)
        spawned.kill()
        assert spawned.wait(60)

    def test_a_process_that_has_its_pid_now_is_left_alone(self, spawned: Spawned) -> None:
        with subprocess.Popen(["sleep", "60"]) as other:
            pid, spawned.pid = spawned.pid, other.pid
            spawned.kill()
            spawned.pid = pid
            assert other.poll() is None
            other.kill()


def test_of_what_can_not_be_executed_no_copy_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    copies, closed = [], []
    copy, close = originals.fcntl, posix.close

    def copying(descriptor: int, command: int, argument: int) -> int:
        copies.append(copy(descriptor, command, argument))
        return copies[-1]

    def closing(descriptor: int) -> None:
        closed.append(descriptor)
        close(descriptor)

    monkeypatch.setattr(originals, "fcntl", copying)
    monkeypatch.setattr(posix, "close", closing)
    with pytest.raises(FileNotFoundError):
        Spawned(["/nonexistent"], {1: 1, 2: 2})
    assert len(copies) == 2
    assert set(copies) <= set(closed)
