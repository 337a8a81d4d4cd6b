"""The accounts that are open, and whose turn it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.gate.accounts import Account, Owner
from pytest_tfkernel.gate.books import Books
from pytest_tfkernel.gate.claims import Claims
from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.gate.helpers import Helpers
from pytest_tfkernel.gate.leases import Leases
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Kind, Resource

STRAY = Resource(Kind.SHARED_MEMORY, "/dev/shm/stray", "1")


@pytest.fixture
def account(books: Books) -> Account:
    return books.open(Owner("test_one"))


@pytest.fixture
def start() -> Iterator[Callable[[], ProcessId]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> ProcessId:
        started.append(subprocess.Popen(["sleep", "60"]))
        return ProcessId(started[-1].pid, proc.start_time(started[-1].pid) or 0)

    yield start
    for process in started:
        process.kill()
        process.wait()


class TestTurns:
    def test_the_first_is_the_sessions(self, books: Books) -> None:
        assert books.current is books.session
        assert str(books.session.owner) == "outside of tests"

    def test_what_comes_in_one_is_on_its_account(self, books: Books, account: Account, claims: Claims) -> None:
        assert books.switch(account) is books.session
        assert claims.current is account.paths
        assert proc.lease_of(os.getpid()) == account.lease
        assert books.switch(books.session) is account
        assert claims.current is books.session.paths

    def test_what_had_come_before_is_on_the_account_before(
        self, books: Books, account: Account, start: Callable[[], ProcessId]
    ) -> None:
        books.switch(account)
        process = start()
        books.switch(books.session)
        assert account.members == {process}

    def test_one_passes_on_whatever_goes_wrong_at_its_end(
        self, books: Books, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def update() -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(books, "update", update)
        with pytest.raises(KeyboardInterrupt):
            books.switch(account)
        assert books.current is account

    def test_one_that_was_looked_at_just_now_is_not_again(
        self, books: Books, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(books, "update", lambda: pytest.fail("it was looked at"))
        books.switch(account, looked=True)
        assert books.current is account


def test_accounts_of_fixtures_are_told_while_they_are_open(books: Books, account: Account) -> None:
    fixture = books.open(Owner(fixture="fixture server", name="server"))
    assert list(books.fixtures()) == [fixture]
    fixture.value = object()
    books.close(fixture)
    assert list(books.fixtures()) == []
    # Nothing of the user's is kept for longer than it is open.
    assert fixture.value is None


class TestAPath:
    def test_in_a_folder_of_an_account_is_covered(self, books: Books, account: Account) -> None:
        other = books.open(Owner("test_two"))
        other.paths["/tmp/folder"] = Kind.FILE
        assert books.is_covered("/tmp/folder/deep/file", account, ())
        assert books.is_covered("/tmp/mine/file", account, {"/tmp/mine"})
        # It doesn't cover itself, and its own account is asked by what is kept of it.
        account.paths["/tmp/own"] = Kind.FILE
        assert not books.is_covered("/tmp/own/file", account, ())
        assert not books.is_covered("/tmp/folder", other, ())

    def test_that_is_settled_is_covered_with_all_below(self, books: Books, account: Account) -> None:
        assert not books.is_covered("/tmp/known/file", account, ())
        books.settle("/tmp/known")
        assert books.is_covered("/tmp/known/file", account, ())
        assert books.is_covered("/tmp/known", account, ())
        assert not books.is_covered("/tmp/known-not/file", account, ())

    def test_of_an_account_that_was_closed_is_reported_once(self, books: Books, account: Account) -> None:
        account.paths["/tmp/left"] = Kind.FILE
        books.close(account)
        assert books.is_covered("/tmp/left", books.session, ())


class TestStrays:
    def test_are_told_with_all_that_ran(self, books: Books, account: Account) -> None:
        other = books.open(Owner("test_two"))
        books.disown(STRAY, account)
        books.disown(STRAY, other)
        assert books.strays == {STRAY.key: (STRAY, ["test_one", "test_two"])}

    def test_outside_of_tests_are_not_ours(self, books: Books) -> None:
        books.disown(STRAY, books.session)
        assert books.strays == {}

    @pytest.mark.parametrize("alone", [True, False])
    def test_are_of_whoever_has_processes_where_no_other_pytest_is(
        self, claims: Claims, no_subreaper: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool
    ) -> None:
        monkeypatch.setattr("pytest_tfkernel.gate.neighbours.are_there", lambda: False)
        leases = Leases()
        books = Books(Ground(shared=str(tmp_path)), claims, leases, Helpers((), leases), alone=alone)
        try:
            account = books.open(Owner("test_one"))
            books.switch(account)
            account.pids.add(5_000_000)
            # As a process has made it that is gone: nobody has claimed it.
            (tmp_path / "stray").touch()
            books.update()
            on_the_account = [Path(one.name).name for one in account.strays.values()]
            of_nobody = [Path(one.name).name for one, _ in books.strays.values()]
            assert (on_the_account, of_nobody) == ((["stray"], []) if alone else ([], ["stray"]))
        finally:
            leases.restore()


def test_what_could_not_be_seen_is_counted_once(books: Books) -> None:
    blind = Blind(Kind.FILE, "/somewhere", "Permission denied")
    books.note([blind, blind])
    books.note([blind])
    assert [one for one in books.blind if one == blind] == [blind]
