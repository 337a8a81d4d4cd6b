"""How processes are ended: who first, who later, and who can't be."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass, field
from signal import SIGKILL, SIGSTOP

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel._child.ending import Ending, is_tracker

TRACKER = "/usr/bin/python3 -c from multiprocessing.resource_tracker import main;main(3)"


@dataclass
class World:
    """Processes that are there until they are killed; time passes while somebody waits."""

    states: dict[int, str]
    commands: dict[int, str] = field(default_factory=dict)
    deaf: set[int] = field(default_factory=set)
    of_others: set[int] = field(default_factory=set)
    sent: list[tuple[int, int]] = field(default_factory=list)
    now: float = 0.0

    def find(self) -> list[proc.Process]:
        return [{"pid": pid, "start_time": 1, "parent": 1, "state": state} for pid, state in self.states.items()]

    def send(self, one: proc.Process, number: int) -> None:
        pid = one["pid"]
        self.sent.append((pid, number))
        if pid not in self.states:
            raise ProcessLookupError(pid)
        if pid in self.of_others:
            raise PermissionError(1, "Operation not permitted")
        if number == SIGSTOP:
            self.states[pid] = "T"
        elif pid not in self.deaf:
            del self.states[pid]

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def end(self, monkeypatch: pytest.MonkeyPatch, seconds: float = 10.0) -> list[int]:
        monkeypatch.setattr(proc, "command_line", lambda pid: self.commands.get(pid, "sleep 60"))
        return [one["pid"] for one in Ending(self.find, self.send, self.wait, lambda: self.now).run(seconds, 1.0)]


def test_all_are_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({1: "S", 2: "R", 3: "T"})
    assert world.end(monkeypatch) == []
    assert world.sent == [(1, SIGKILL), (2, SIGKILL), (3, SIGKILL)]


def test_a_crowd_is_stopped_first_but_for_its_trackers(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(dict.fromkeys(range(30), "R"), commands={7: TRACKER})
    assert world.end(monkeypatch) == []
    others = [pid for pid in range(30) if pid != 7]
    assert world.sent[:58] == [(pid, SIGSTOP) for pid in others] + [(pid, SIGKILL) for pid in others]


def test_one_without_its_first_thread_is_killed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({1: proc.HEADLESS}, commands={1: "[python]"})
    assert world.end(monkeypatch) == []
    assert world.sent == [(1, SIGKILL)]
    assert world.now < 1.0


def test_a_crowd_is_stopped_once_though_one_has_no_first_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({**dict.fromkeys(range(30), "R"), 30: proc.HEADLESS}, commands={30: "[python]"})

    def send(one: proc.Process, number: int) -> None:
        # Nothing shows that it is stopped.
        if (one["state"], number) == (proc.HEADLESS, SIGSTOP):
            world.sent.append((one["pid"], number))
        else:
            World.send(world, one, number)

    monkeypatch.setattr(world, "send", send)
    assert world.end(monkeypatch) == []
    assert world.sent == [(pid, number) for number in (SIGSTOP, SIGKILL) for pid in range(31)]


def test_a_tracker_may_end_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({1: "S", 2: "S"}, commands={2: TRACKER})
    waited = world.wait

    def wait(seconds: float) -> None:
        waited(seconds)
        if 1 not in world.states:
            world.states.pop(2, None)

    monkeypatch.setattr(world, "wait", wait)
    assert world.end(monkeypatch) == []
    assert world.sent == [(1, SIGKILL)]


def test_a_tracker_that_stays_is_killed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({1: "S", 2: "S"}, commands={2: TRACKER})
    assert world.end(monkeypatch) == []
    assert world.sent == [(1, SIGKILL), (2, SIGKILL)]
    assert world.now < 2


def test_who_may_not_be_signalled_is_left_at_once_and_the_others_end(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({1: "S", 2: "S", 3: "S"}, of_others={2})
    assert world.end(monkeypatch) == [2]
    assert world.sent == [(1, SIGKILL), (2, SIGKILL), (3, SIGKILL)]
    assert world.now < 1


def test_who_does_not_die_is_told_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({1: "D", 2: "Z"}, deaf={1})
    assert world.end(monkeypatch, 0.5) == [1]


def test_what_is_just_being_executed_may_become_a_tracker(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({1: "S", 2: "S", 3: "S"}, commands={2: "[python]", 3: "[python]"})
    waited = world.wait

    def wait(seconds: float) -> None:
        waited(seconds)
        world.commands |= {2: TRACKER, 3: "sleep 60"}

    monkeypatch.setattr(world, "wait", wait)
    assert world.end(monkeypatch) == []
    assert world.sent == [(1, SIGKILL), (3, SIGKILL), (2, SIGKILL)]
    assert world.now > 1


@pytest.mark.parametrize(
    ("command", "is_one"),
    [
        (TRACKER, True),
        ("/usr/bin/python3 -E -c from multiprocess.resource_tracker import main;main(7)", True),
        ("python3.6 -c from multiprocessing.semaphore_tracker import main;main(7)", True),
        ("python -c from joblib.externals.loky.backend.resource_tracker import main; main(7, False)", True),
        ("python -c from my_resource_tracker import main", False),
        ("python resource_tracker.py", False),
        ("", False),
    ],
)
def test_trackers_are_known_by_their_command(command: str, is_one: bool) -> None:
    assert is_tracker(command) == is_one


def test_the_tracker_of_this_python_is_known() -> None:
    script = "from multiprocessing import resource_tracker as one; one.ensure_running(); print(one._resource_tracker._pid, flush=True)"
    script += "; input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        while not (command := proc.command_line(pid)) or command.startswith("["):
            continue
        process.communicate("\n")
    # It ends when all others have, as our child then, unless its maker has waited for it.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    assert is_tracker(command)
