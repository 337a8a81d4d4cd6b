"""Whose a new process is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.gate import adoption
from pytest_tfkernel.gate.accounts import Account, Owner
from pytest_tfkernel.gate.descent import Descent
from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.gate.helpers import Helpers
from pytest_tfkernel.gate.known import Known
from pytest_tfkernel.gate.leases import Leases
from pytest_tfkernel.model.resources import Kind

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process that wears no number of ours; it is ended with the test."""
    started = []

    def start(*command: str) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(command or ("sleep", "60"), stdin=-1, stdout=-1))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


class Scene:
    """A session with two accounts, nobody of whom wears a number."""

    def __init__(self) -> None:
        self.ground = Ground()
        leases = Leases()
        self.helpers = Helpers([Known(Kind.PROCESS, "sh -c*helper*", "a helper")], leases)
        self.descent = Descent(self.ground, leases, self.helpers)
        self.accounts = [Account(Owner(name), leases.new()) for name in ("one", "two")]

    def whose(self, current: int) -> dict[int, str]:
        """The owners of the processes that have come in this turn."""
        arrivals = self.descent.arrivals(self.accounts, self.accounts[current])
        return {process.pid: str(account.owner) for account, process in arrivals.of}


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    # Ours is a subreaper, for other reasons.
    monkeypatch.setattr(adoption, "adopts", lambda: False)
    return Scene()


def test_a_child_is_of_whose_turn_it_is(scene: Scene, start: Start) -> None:
    one = start()
    assert scene.whose(0) == {one.pid: "one"}
    two = start()
    assert scene.whose(1) == {two.pid: "two"}


def test_a_process_that_is_seen_again_is_no_newcomer(scene: Scene, start: Start) -> None:
    # The inode of its folder in /proc may change.
    one = start()
    scene.whose(0)
    scene.ground.put_off(one.pid, "its folder", OSError(24, "Too many open files"))
    assert scene.whose(1) == {}


def test_a_process_that_was_there_before_is_nobodys(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoption, "adopts", lambda: False)
    before = start()
    scene = Scene()
    scene.ground.put_off(before.pid, "its folder", OSError(24, "Too many open files"))
    assert scene.whose(0) == {}


def test_what_a_process_starts_later_is_of_its_own_account(scene: Scene, start: Start) -> None:
    parent = start("sh", "-c", "echo; read line; sleep 60 & echo $!; wait")
    assert parent.stdout is not None
    assert parent.stdin is not None
    parent.stdout.readline()
    scene.whose(0)
    parent.stdin.write(b"\n")
    parent.stdin.flush()
    child = int(parent.stdout.readline())
    assert scene.whose(1) == {child: "one"}
    subprocess.run(["kill", str(child)], check=True)


def test_what_a_helper_starts_for_itself_is_nobodys(scene: Scene, start: Start) -> None:
    helper = start("sh", "-c", ": helper; sleep 60 & echo $!; wait")
    assert helper.stdout is not None
    child = int(helper.stdout.readline())
    assert scene.whose(0) == {helper.pid: "one"}
    subprocess.run(["kill", str(child)], check=True)


def test_a_child_that_may_be_adopted_is_nobodys(start: Start) -> None:
    # This process is a subreaper (see conftest.py).
    assert adoption.adopts()
    scene = Scene()
    process = start()
    arrivals = scene.descent.arrivals(scene.accounts, scene.accounts[0])
    assert (arrivals.of, [one.pid for one in arrivals.foundlings]) == ([], [process.pid])


def test_a_process_that_cannot_be_read_is_looked_at_again(
    scene: Scene, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = start()

    def refuse(_: int) -> None:
        raise OSError(24, "Too many open files")

    for name in ("find_stat", "find_lease"):
        with monkeypatch.context() as patch:
            patch.setattr(proc, name, refuse)
            assert scene.whose(0) == {}
            assert not scene.ground.sees(Kind.PROCESS)
    assert scene.whose(0) == {one.pid: "one"}
    assert scene.ground.sees(Kind.PROCESS)
