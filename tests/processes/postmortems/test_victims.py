"""Whom the OOM killer took, on a process and a count that a test makes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ExitStatus, ProcessId
from pytest_tfkernel.processes.pidfds import open_pidfd
from pytest_tfkernel.processes.postmortems.victims import Victim, Victims

KILLED = ExitStatus(signal=signal.SIGKILL)
# What has 0 as its count of faults of children.
NO_CHILD = 0


@dataclass
class Counter:
    """Stands for a cgroup."""

    kills: int = 0

    def oom_kills(self) -> int:
        return self.kills


@dataclass
class Case:
    """A process, and what is watched of it."""

    popen: subprocess.Popen[bytes]
    counter: Counter
    victims: Victims
    now: list[float]

    def judge(self, child_faults: int | None = NO_CHILD, *, orphans: bool = False) -> Victim:
        self.popen.kill()
        return self.victims.judge(child_faults, lambda _: orphans)


@pytest.fixture
def case() -> Iterator[Case]:
    with subprocess.Popen(["sleep", "60"]) as popen:
        process = ProcessId(popen.pid, proc.start_time(popen.pid) or 0)
        counter, now, pidfd = Counter(3), [100.0], open_pidfd(process)
        assert pidfd is not None
        yield Case(popen, counter, Victims(process, pidfd, counter, lambda: now[0]), now)
        popen.kill()
        os.close(pidfd)


def test_what_was_counted_before_is_nobodys(case: Case) -> None:
    assert case.judge() is Victim.NO


def test_one_that_had_no_child_was_it(case: Case) -> None:
    case.counter.kills += 1
    assert case.judge() is Victim.YES
    case.victims.close(was_one=True)
    assert case.victims.others == 0


def test_what_was_counted_while_it_lived_on_was_another(case: Case) -> None:
    case.counter.kills += 2
    case.victims.look()
    assert (case.victims.others, case.judge()) == (2, Victim.NO)


def test_what_was_counted_while_it_died_may_be_itself(case: Case) -> None:
    case.counter.kills += 1
    case.popen.kill()
    # Not waited for: a zombie.
    os.waitid(os.P_PID, case.popen.pid, os.WEXITED | os.WNOWAIT)
    case.victims.look()
    assert (case.victims.others, case.judge()) == (0, Victim.YES)


@pytest.mark.parametrize(("state", "flags", "pending"), [("R", 0x4, 0), ("R", 0x400, 0), ("R", 0, 1 << 8), ("Z", 0, 0)])
def test_what_was_counted_while_it_is_on_its_way_out_may_be_itself(
    case: Case, monkeypatch: pytest.MonkeyPatch, state: str, flags: int, pending: int
) -> None:
    start_time = proc.start_time(case.popen.pid)
    fields = [state, 1, 1, 1, 0, 0, flags, 0, 0, *[0] * 8, 1, 0, start_time, *[0] * 8, pending, 0, 0, 0]
    dying = proc.Stat(f"1 (name) {' '.join(map(str, fields))}\n".encode())
    monkeypatch.setattr(proc, "read_stat", lambda _: dying)
    case.counter.kills += 1
    case.victims.look()
    assert (case.victims.others, case.judge()) == (0, Victim.YES)


def test_between_the_count_and_the_signal_there_is_a_moment(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def is_dead(_: int, seconds: float) -> bool:
        asked.append(seconds)
        return seconds > 0

    monkeypatch.setattr("pytest_tfkernel.processes.postmortems.victims.is_dead", is_dead)
    case.victims.look()
    case.counter.kills += 1
    case.victims.look()
    assert (asked[0], asked[1] > 0, case.victims.others) == (0.0, True, 0)


@pytest.mark.parametrize(
    ("child_faults", "orphans", "victim"),
    [
        (NO_CHILD, False, Victim.YES),
        (None, False, Victim.YES),
        (7, False, Victim.MAYBE),
        (-1, False, Victim.MAYBE),
        (NO_CHILD, True, Victim.MAYBE),
    ],
)
def test_a_child_that_died_since_may_have_been_the_one(
    case: Case, child_faults: int | None, orphans: bool, victim: Victim
) -> None:
    case.counter.kills += 1
    assert case.judge(child_faults, orphans=orphans) is victim


def test_orphans_are_asked_for_since_the_last_look(case: Case) -> None:
    case.now[0] = 200.0
    case.victims.look()
    case.now[0] = 300.0
    case.counter.kills += 1
    asked: list[float] = []

    def ask(since: float) -> bool:
        asked.append(since)
        return False

    case.victims.judge(NO_CHILD, ask)
    assert asked == [200.0]


def test_those_that_were_taken_since_the_last_look_are_counted(case: Case) -> None:
    case.counter.kills += 3
    case.victims.close(was_one=True)
    assert (case.victims.others, case.victims.count()) == (2, 0)


def test_a_cgroup_that_is_joined_counts_anew(case: Case) -> None:
    case.counter.kills += 1
    case.victims.look()
    case.victims.join(Counter(50))
    assert (case.victims.others, case.judge()) == (1, Victim.NO)


def process(cell: str) -> subprocess.Popen[bytes]:
    popen = subprocess.Popen(
        [sys.executable, "-c", f"import signal\n{cell}\nprint(flush=True)\nsignal.pause()"], stdout=-1
    )
    assert popen.stdout is not None
    popen.stdout.readline()
    return popen


@pytest.mark.parametrize(
    ("cell", "ignores", "blocks"),
    [
        ("", False, False),
        ("signal.signal(15, signal.SIG_IGN)", True, False),
        ("signal.pthread_sigmask(signal.SIG_BLOCK, [15])", False, True),
        ("signal.signal(14, signal.SIG_IGN); signal.pthread_sigmask(signal.SIG_BLOCK, [16])", False, False),
    ],
)
def test_what_a_process_does_with_signals_is_read(cell: str, ignores: bool, blocks: bool) -> None:
    with process(cell) as popen:
        stat = proc.read_stat(popen.pid)
        assert stat is not None
        assert (stat.ignores(15), stat.blocks(15), stat.is_dying) == (ignores, blocks, False)
        assert (stat.ignores(0), stat.blocks(40)) == (False, False)
        popen.kill()
        os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
        assert proc.read_stat(popen.pid).is_dying  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("", lambda faults: faults == 0),
        ("import subprocess; subprocess.call(['true'])", lambda faults: faults > 0),
        ("signal.signal(17, signal.SIG_IGN)", lambda faults: faults == -1),
    ],
)
def test_children_that_were_waited_for_leave_a_trace(cell: str, found: Callable[[int], bool]) -> None:
    with process(cell) as popen:
        popen.kill()
        os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
        stat = proc.read_stat(popen.pid)
        assert stat is not None
        assert found(stat.child_faults)
