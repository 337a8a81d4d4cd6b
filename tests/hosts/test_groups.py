"""How the process group of a kernel is killed: trackers clean up after the others."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.hosts import groups

AwaitDeath = Callable[[int], None]
Eventually = Callable[[Callable[[], object]], None]
# One that leads a group, with two more in it; it says who they are.
GROUP = "sleep 61 & echo $!; sleep 62 & echo $!; wait"


@pytest.fixture
def group() -> Iterator[tuple[int, int, int]]:
    with subprocess.Popen(["sh", "-c", GROUP], stdout=subprocess.PIPE, text=True, start_new_session=True) as leader:
        assert leader.stdout is not None
        first, second = (int(leader.stdout.readline()) for _ in range(2))
        yield leader.pid, first, second
        subprocess.run(["kill", "-9", str(leader.pid), str(first), str(second)], check=False, stderr=subprocess.DEVNULL)


def test_all_of_it_dies(group: tuple[int, int, int], await_death: AwaitDeath) -> None:
    groups.kill(group[0])
    for pid in group:
        await_death(pid)


def test_a_tracker_is_left_to_end_by_itself(
    group: tuple[int, int, int], await_death: AwaitDeath, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, first, second = group
    monkeypatch.setattr(groups, "is_tracker", lambda command: command == "sleep 62")
    # The shell may not have become it yet.
    eventually(lambda: proc.command_line(second) == "sleep 62")
    groups.kill(leader)
    for pid in (leader, first):
        await_death(pid)
    stat = proc.read_stat(second)
    assert stat is not None
    # And goes on, to do its work.
    eventually(lambda: (proc.read_stat(second) or stat).state == "S")


def test_a_group_that_is_gone_is_told() -> None:
    with subprocess.Popen(["true"], start_new_session=True) as process:
        pass
    with pytest.raises(ProcessLookupError):
        groups.kill(process.pid)
