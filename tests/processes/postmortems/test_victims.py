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
from pytest_tfkernel.processes.postmortems.deaths import Death, Deaths
from pytest_tfkernel.processes.postmortems.sent import Sent
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


class TestSent:
    def test_what_was_sent_before_an_answered_request_is_outlived(self) -> None:
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
    def test_another_message_says_nothing(self, answer: object) -> None:
        sent = Sent(ProcessId(os.getpid(), proc.start_time(os.getpid()) or 0))
        sent.note(6)
        sent.ask(1)
        sent.hear(answer)
        assert sent.deadly([6]) == [6]

    def test_the_answer_of_a_process_that_is_gone_says_nothing(self) -> None:
        sent = Sent(ProcessId(os.getpid(), 1))
        sent.note(6)
        sent.ask(1)
        sent.hear(1)
        assert sent.deadly([6]) == [6]


def death(pid: int, time: float = 0.0, status: ExitStatus = KILLED, signals: tuple[int, ...] = ()) -> Death:
    return Death(ProcessId(pid, 1), status, None, time, signals)


class TestDeaths:
    @pytest.fixture
    def book(self, monkeypatch: pytest.MonkeyPatch) -> Deaths:
        monkeypatch.setattr("pytest_tfkernel.processes.postmortems.deaths._KEPT_DEATHS", 2)
        return Deaths()

    @pytest.mark.parametrize("late", [False, True])
    def test_what_is_expected_is_kept(self, book: Deaths, late: bool) -> None:
        expected = ProcessId(1, 1)
        if late:
            book.add(death(1))
        book.expect(expected)
        if not late:
            book.add(death(1))
        book.expect(expected)
        for pid in range(2, 9):
            book.add(death(pid))
        assert [pid for pid in range(1, 9) if ProcessId(pid, 1) in book] == [1, 7, 8]
        assert book[expected] == death(1)
        assert book[ProcessId(8, 1)] == death(8)

    def test_one_that_lives_is_not_in_it(self, book: Deaths) -> None:
        book.expect(ProcessId(1, 1))
        assert ProcessId(1, 1) not in book

    @pytest.mark.parametrize(
        ("one", "found"),
        [
            (death(1, 10.0), True),
            (death(1, 9.0), False),
            (death(1, 10.0, ExitStatus(code=0)), False),
            (death(1, 10.0, ExitStatus(signal=signal.SIGTERM)), False),
            (death(1, 10.0, KILLED, (signal.SIGKILL,)), False),
        ],
    )
    def test_orphans_that_somebody_else_killed_are_known(self, book: Deaths, one: Death, found: bool) -> None:
        book.add(one)
        assert book.has_killed_orphans(10.0) is found

    def test_of_those_that_are_kept_no_more_nothing_is_known(self, book: Deaths) -> None:
        for pid in range(1, 4):
            book.add(death(pid, 10.0, ExitStatus(code=0)))
        assert (book.has_killed_orphans(10.0), book.has_killed_orphans(11.0)) == (True, False)

    def test_one_that_was_expected_is_no_orphan(self, book: Deaths) -> None:
        book.expect(ProcessId(1, 1))
        book.add(death(1, 10.0))
        assert not book.has_killed_orphans(10.0)
