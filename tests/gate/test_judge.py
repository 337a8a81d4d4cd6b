"""What of an account is left, once it had time to go away by itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pauses import Time
from pytest_tfkernel._child import proc
from pytest_tfkernel.gate import adoption
from pytest_tfkernel.gate.accounts import Account, Owner
from pytest_tfkernel.gate.books import Books
from pytest_tfkernel.gate.judge import AccountJudge
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Kind, Resource

Start = Callable[..., ProcessId]


@pytest.fixture
def judge(books: Books, time: Time) -> AccountJudge:
    return AccountJudge(books, time.clock, time.sleep)


@pytest.fixture
def account(books: Books) -> Account:
    """That of a test, whose turn it is."""
    account = books.open(Owner("test_one"))
    books.switch(account)
    return account


@pytest.fixture
def fixture(books: Books) -> Account:
    return books.open(Owner(fixture="fixture server", name="server"))


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a child; it is ended with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> ProcessId:
        started.append(subprocess.Popen(command or ("sleep", "60")))
        start_time = proc.start_time(started[-1].pid)
        assert start_time is not None
        return ProcessId(started[-1].pid, start_time)

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def thread() -> Iterator[threading.Thread]:
    """One for which the end of pytest would wait."""
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait, name="waits")
    thread.start()
    yield thread
    go_on.set()
    thread.join()


def left(found: dict[Account, list[Resource]], account: Account) -> list[tuple[Kind, str]]:
    return [(one.kind, one.name) for one in found.get(account, ())]


class TestTime:
    def test_nothing_is_waited_for_where_nothing_is_left(
        self, judge: AccountJudge, account: Account, time: Time
    ) -> None:
        assert judge.judge([account]) == {}
        assert time.pauses == []

    def test_what_goes_in_time_is_not_left(
        self, judge: AccountJudge, account: Account, folder: Path, time: Time
    ) -> None:
        (folder / "one").touch()
        account.paths[str(folder / "one")] = Kind.FILE
        time.meanwhile = lambda: (folder / "one").unlink(missing_ok=True)
        assert judge.judge([account]) == {}
        assert len(time.pauses) == 1

    def test_what_stays_is_looked_at_less_and_less_often_for_a_second(
        self, judge: AccountJudge, account: Account, folder: Path, time: Time
    ) -> None:
        account.paths[str(folder)] = Kind.FILE
        assert left(judge.judge([account]), account) == [(Kind.FILE, str(folder))]
        assert time.pauses[:7] == [0.002, 0.004, 0.008, 0.016, 0.032, 0.05, 0.05]
        assert sum(time.pauses) == pytest.approx(1)

    def test_a_clock_that_stands_still_ends_too(
        self, judge: AccountJudge, account: Account, folder: Path, time: Time
    ) -> None:
        account.paths[str(folder)] = Kind.FILE
        time.pace = 0
        assert left(judge.judge([account]), account) == [(Kind.FILE, str(folder))]
        assert sum(time.pauses) == pytest.approx(1)

    def test_a_clock_that_jumps_takes_only_a_part_of_the_time(
        self, judge: AccountJudge, account: Account, folder: Path, time: Time
    ) -> None:
        account.paths[str(folder)] = Kind.FILE
        time.pace = 1e6
        assert left(judge.judge([account]), account) == [(Kind.FILE, str(folder))]
        assert len(time.pauses) == 4


class TestProcesses:
    def test_one_that_lives_is_left(self, judge: AccountJudge, account: Account, start: Start) -> None:
        process = start()
        assert left(judge.judge([account]), account) == [(Kind.PROCESS, str(process))]

    def test_one_that_nobody_waits_for_is_left_as_a_zombie(
        self, judge: AccountJudge, account: Account, start: Start
    ) -> None:
        process = start("sleep", "60")
        judge.books.update()
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert left(judge.judge([account]), account) == [(Kind.ZOMBIE, str(process))]

    def test_a_dead_one_that_may_be_an_orphan_is_only_counted(
        self, judge: AccountJudge, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        try:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            judge.books.update()
            assert [one.pid for one in account.members] == [pid]
            monkeypatch.setattr(adoption, "adopts", lambda: True)
            assert judge.judge([account]) == {}
            assert [one.pid for one in judge.orphans] == [pid]
        finally:
            os.waitpid(pid, 0)

    def test_a_dead_one_that_somebody_is_to_wait_for_is_left(
        self, judge: AccountJudge, account: Account, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        process = start()
        judge.books.update()
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        monkeypatch.setattr(adoption, "adopts", lambda: True)
        assert left(judge.judge([account]), account) == [(Kind.ZOMBIE, str(process))]
        assert judge.orphans == set()

    def test_another_one_with_its_pid_is_not_left(self, judge: AccountJudge, account: Account) -> None:
        account.add(ProcessId(os.getppid(), 1))
        assert judge.judge([account]) == {}

    def test_a_helper_is_not_left(self, judge: AccountJudge, account: Account, start: Start) -> None:
        process = start("sleep", "61")
        # As long as it hasn't executed its program, it is called like its parent.
        while proc.command_line(process.pid) != "sleep 61":
            pass
        assert judge.judge([account]) == {}
        assert [known.what for known in judge.books.helpers.met.values()] == ["a helper"]

    def test_one_that_a_fixture_holds_is_the_fixtures(
        self, judge: AccountJudge, account: Account, fixture: Account, start: Start
    ) -> None:
        process = start()
        fixture.value = [process.pid]
        assert judge.judge([account]) == {}
        assert fixture.members == {process}

    def test_one_that_only_its_own_fixture_holds_is_left(
        self, judge: AccountJudge, fixture: Account, start: Start
    ) -> None:
        judge.books.switch(fixture)
        process = start()
        fixture.value = [process.pid]
        assert left(judge.judge([fixture]), fixture) == [(Kind.PROCESS, str(process))]

    def test_one_that_cannot_be_looked_at_is_told_later(
        self, judge: AccountJudge, account: Account, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        process = start()
        judge.books.update()

        def refuse(_: int) -> None:
            raise OSError(24, "Too many open files")

        with monkeypatch.context() as patch:
            patch.setattr(proc, "find_stat", refuse)
            assert judge.judge([account]) == {}
        assert not judge.books.ground.sees(Kind.PROCESS)
        ((owner, thing),) = judge.settle_late()
        assert (owner, thing.kind, thing.name) == (account.owner, Kind.PROCESS, str(process))
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert list(judge.settle_late()) == []


class TestPaths:
    def test_what_lies_in_a_folder_that_is_left_is_one_with_it(
        self, judge: AccountJudge, account: Account, folder: Path
    ) -> None:
        (folder / "one").mkdir()
        (folder / "one/two").touch()
        account.paths |= {str(folder / "one/two"): Kind.FILE, str(folder / "one"): Kind.FILE}
        assert left(judge.judge([account]), account) == [(Kind.FILE, str(folder / "one"))]

    def test_a_known_one_is_settled_with_all_in_it(self, judge: AccountJudge, account: Account, folder: Path) -> None:
        (folder / "known-1").mkdir()
        (folder / "known-1/one").touch()
        account.paths[str(folder / "known-1")] = Kind.FILE
        assert judge.judge([account]) == {}
        assert [known.what for known in judge.books.helpers.met.values()] == ["a folder that stays"]
        account.paths[str(folder / "known-1/one")] = Kind.FILE
        assert judge.judge([account]) == {}

    def test_one_of_another_account_is_left_to_that(
        self, judge: AccountJudge, account: Account, fixture: Account, folder: Path
    ) -> None:
        (folder / "one").touch()
        fixture.paths[str(folder)] = Kind.FILE
        account.paths[str(folder / "one")] = Kind.FILE
        assert judge.judge([account]) == {}


class TestThings:
    def test_a_socket_that_listens_is_left_by_its_address(self, judge: AccountJudge, account: Account) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            name = f"tcp 127.0.0.1:{server.getsockname()[1]}"
            assert left(judge.judge([account]), account) == [(Kind.SOCKET, name)]
        assert judge.judge([account]) == {}

    def test_a_socket_that_nobody_can_connect_to_is_not_left(self, judge: AccountJudge, account: Account) -> None:
        with socket.socket():
            assert judge.judge([account]) == {}

    def test_shared_memory_that_nobody_uses_is_told_with_the_tests(
        self, judge: AccountJudge, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = Path(f"/dev/shm/test-judge-{os.getpid()}")
        subprocess.run(["touch", str(path)], check=True)
        try:
            judge.books.update()
            assert [one.tests for one in judge.settle_strays() if one.thing.name == str(path)] == [("test_one",)]
            with path.open("rb"):
                assert [one for one in judge.settle_strays() if one.thing.name == str(path)] == []
        finally:
            path.unlink()
        assert [one for one in judge.settle_strays() if one.thing.name == str(path)] == []


class TestFoundlings:
    def test_one_that_lives_is_told_with_the_test(
        self, judge: AccountJudge, account: Account, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(adoption, "adopts", lambda: True)
        # It wears no number of ours.
        judge.books.leases.restore()
        process = start()
        told = [one.tests for one in judge.settle_strays() if one.thing.name == str(process)]
        assert told == [("test_one",)]
        assert judge.judge([account]) == {}
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert [one for one in judge.settle_strays() if one.thing.name == str(process)] == []


class TestThreads:
    def test_one_that_the_end_waits_for_is_left(
        self, judge: AccountJudge, account: Account, thread: threading.Thread
    ) -> None:
        account.threads[id(thread)] = thread
        assert left(judge.judge([account]), account) == [(Kind.THREAD, "waits")]

    def test_one_that_a_fixture_reaches_is_the_fixtures(
        self, judge: AccountJudge, account: Account, fixture: Account, thread: threading.Thread
    ) -> None:
        account.threads[id(thread)] = thread
        fixture.value = {"thread": thread}
        assert judge.judge([account]) == {}
        assert list(fixture.threads.values()) == [thread]


def test_what_the_value_of_a_fixture_holds_is_handed_over(
    judge: AccountJudge, account: Account, fixture: Account, thread: threading.Thread, start: Start
) -> None:
    held, other = start(), start()
    judge.books.update()
    account.threads = {id(thread): thread}
    fixture.value = {"pid": held.pid, "thread": thread}
    judge.hand_over(account, fixture)
    assert (account.members, account.threads) == ({other}, {})
    assert (fixture.members, list(fixture.threads.values())) == ({held}, [thread])
