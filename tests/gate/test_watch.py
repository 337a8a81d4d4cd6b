"""Whose turn it is, who is blamed, and what is told in the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pauses import Time
from pytest_tfkernel.gate.accounts import Account, Owner
from pytest_tfkernel.gate.claims import Claims
from pytest_tfkernel.gate.findings import Allowance, Finding, Tally
from pytest_tfkernel.gate.judge import AccountJudge
from pytest_tfkernel.gate.known import Known
from pytest_tfkernel.gate.watch import FAILED_ITSELF, OUTSIDE, Watch
from pytest_tfkernel.model.resources import Blind, Kind, Resource

FILE, SOCKET = Kind.FILE.value, Kind.SOCKET.value


@pytest.fixture
def watch(claims: Claims, folder: Path, time: Time, no_subreaper: None) -> Iterator[Watch]:
    watch = Watch("gw0", claims, [Known(Kind.FILE, "*/known-*", "a file that stays")], alone=False)
    watch._judge = AccountJudge(watch._books, time.clock, time.sleep)
    yield watch
    watch._leases.restore()


def begin(watch: Watch, test: str, *allowances: Allowance, fixtures: tuple[str, ...] = ()) -> None:
    watch.begin(test, allowances, fixtures)


def end(watch: Watch, *, failed: bool = False, ran: bool = True) -> list[tuple[str, str, list[str]]]:
    """The test, the fixture and the names of what was left, of each that is blamed."""
    return [_short(one) for one in watch.end(failed=failed, ran=ran)]


def _short(one: Finding) -> tuple[str, str, list[str]]:
    return one.test, one.fixture, [left.name for left in one.left]


def finish(watch: Watch) -> Tally:
    return watch.finish(lambda _: (), lambda: ())


def set_up(watch: Watch, owner: Owner, path: Path) -> Account:
    """A fixture that makes a file."""
    account = watch.open_fixture(owner)
    assert account is not None
    before = watch.turn(account)
    path.touch()
    watch.turn(before)
    return account


SERVER = Owner(fixture="fixture server", name="server")


def test_each_is_blamed_for_what_it_left(watch: Watch, folder: Path) -> None:
    begin(watch, "test_one")
    (folder / "one").touch()
    assert end(watch) == [("test_one", "", [str(folder / "one")])]
    begin(watch, "test_two")
    assert end(watch) == []
    begin(watch, "test_three")
    (folder / "three").touch()
    assert end(watch) == [("test_three", "", [str(folder / "three")])]
    found = finish(watch).findings
    assert [(one.worker, one.number, one.excused) for one in found] == [("gw0", 0, ""), ("gw0", 1, "")]


def test_an_end_without_a_beginning_blames_nobody(watch: Watch) -> None:
    assert end(watch) == []
    assert finish(watch).findings == ()


def test_nothing_is_watched_after_the_end(watch: Watch, folder: Path) -> None:
    finish(watch)
    begin(watch, "test_one")
    (folder / "one").touch()
    assert end(watch) == []


class TestAllowances:
    def test_what_is_allowed_blames_nobody_and_is_used(self, watch: Watch, folder: Path) -> None:
        files, sockets = Allowance("test_one", FILE, "a cache"), Allowance("test_one", SOCKET, "a server")
        begin(watch, "test_one", files, sockets)
        (folder / "one").touch()
        assert end(watch) == []
        tally = finish(watch)
        assert (list(tally.findings), set(tally.used), tally.unused) == ([], {files}, [sockets])

    @pytest.mark.parametrize(("failed", "ran"), [(True, True), (False, False)])
    def test_one_whose_test_did_not_come_to_its_end_is_not_called_unused(
        self, watch: Watch, *, failed: bool, ran: bool
    ) -> None:
        begin(watch, "test_one", Allowance("test_one", FILE, "a cache"))
        end(watch, failed=failed, ran=ran)
        assert finish(watch).unused == []

    @pytest.mark.parametrize(("node", "is_allowed"), [("test_one", False), ("TestClass", True)])
    def test_those_of_the_class_are_for_its_fixtures_too(
        self, watch: Watch, folder: Path, node: str, *, is_allowed: bool
    ) -> None:
        begin(watch, "test_one", Allowance(node, FILE, "a cache"))
        account = set_up(watch, SERVER, folder / "one")
        watch.tear_down(account)
        watch.close_fixture(account)
        assert end(watch) == ([] if is_allowed else [("test_one", "fixture server", [str(folder / "one")])])

    @pytest.mark.parametrize(("asked", "is_allowed"), [("server", True), ("client", False)])
    def test_they_hold_for_the_fixtures_that_a_test_asks_for(
        self, watch: Watch, folder: Path, asked: str, *, is_allowed: bool
    ) -> None:
        account = set_up(watch, SERVER, folder / "one")
        begin(watch, "test_one", Allowance("TestClass", FILE, "a cache"), fixtures=(asked,))
        watch.tear_down(account)
        watch.close_fixture(account)
        assert (end(watch) == []) is is_allowed


class TestFixtures:
    def test_what_one_made_is_not_the_tests(self, watch: Watch, folder: Path) -> None:
        begin(watch, "test_one")
        account = set_up(watch, SERVER, folder / "one")
        assert end(watch) == []
        begin(watch, "test_two")
        watch.tear_down(account)
        (folder / "two").touch()
        watch.close_fixture(account)
        (folder / "three").touch()
        assert end(watch) == [
            ("test_two", "", [str(folder / "three")]),
            ("test_two", "fixture server", [str(folder / "one"), str(folder / "two")]),
        ]

    def test_its_value_is_let_go(self, watch: Watch, folder: Path) -> None:
        begin(watch, "test_one")
        account = set_up(watch, SERVER, folder / "one")
        account.value = object()
        watch.tear_down(account)
        watch.close_fixture(account)
        assert (account.value, account.interrupts) == (None, None)
        end(watch)


class TestExcuses:
    def test_a_test_that_failed_may_keep_files_by_its_traceback(self, watch: Watch, folder: Path) -> None:
        begin(watch, "test_one")
        (folder / "one").touch()
        assert end(watch, failed=True) == []
        (found,) = finish(watch).findings
        assert (found.test, found.excused) == ("test_one", FAILED_ITSELF)

    def test_a_fixture_keeps_nothing_by_the_traceback_of_a_test(self, watch: Watch, folder: Path) -> None:
        begin(watch, "test_one")
        account = set_up(watch, SERVER, folder / "one")
        watch.tear_down(account)
        watch.close_fixture(account)
        assert end(watch, failed=True) == [("test_one", "fixture server", [str(folder / "one")])]

    def test_what_no_traceback_keeps_is_blamed_all_the_same(self, watch: Watch) -> None:
        account = Account(Owner("test_one"), 1)
        things = [Resource(Kind.SEGMENT, "a segment"), Resource(Kind.FILE, "a file")]
        blamed = list(watch._findings_of(account, things, "test_one", failed=True))
        assert [_short(one) for one in blamed] == [("test_one", "", ["a segment"])]
        assert [(one.left[0].name, one.excused) for one in watch._findings] == [
            ("a segment", ""),
            ("a file", FAILED_ITSELF),
        ]

    def test_what_appears_outside_of_tests_is_told_and_fails_nothing(self, watch: Watch, folder: Path) -> None:
        watch._books.session.paths[str(folder)] = Kind.FILE
        (found,) = finish(watch).findings
        assert (found.owner, found.excused) == ("outside of tests", OUTSIDE)

    def test_one_that_was_interrupted_is_judged_at_the_end(self, watch: Watch, folder: Path) -> None:
        begin(watch, "test_one")
        (folder / "one").touch()
        (found,) = finish(watch).findings
        assert (found.test, found.excused) == ("test_one", FAILED_ITSELF)


class TestWhatGoesWrong:
    def test_it_is_counted_and_does_not_reach_the_session(self, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> None:
            raise RuntimeError("no look")

        with monkeypatch.context() as patch:
            patch.setattr(watch._books, "update", fail)
            begin(watch, "test_one")
            assert end(watch) == []
            assert watch.turn(None) is None
        blind = finish(watch).blind
        assert {place: blind[place] for place in blind if place.endswith("RuntimeError: no look")} == {
            "the start of test_one: RuntimeError: no look": 1,
            "what test_one left: RuntimeError: no look": 1,
            "a change of turns: RuntimeError: no look": 1,
        }

    def test_places_that_differ_by_a_number_count_as_one(self, watch: Watch) -> None:
        watch._books.note([Blind(Kind.PROCESS, f"/a/{number}", "gone") for number in (1, 20, 300)])
        assert finish(watch).blind["/a/*: gone"] == 3


class TestTheEnd:
    def test_helpers_are_counted_by_what_they_are(self, watch: Watch, folder: Path) -> None:
        begin(watch, "test_one")
        (folder / "known-1").touch()
        (folder / "known-2").touch()
        assert end(watch) == []
        assert finish(watch).known == {"a file that stays": 2}

    def test_what_is_said_of_the_gpu_is_told(self, watch: Watch) -> None:
        asked: list[set[str]] = []

        def gpu(devices: set[str]) -> list[str]:
            asked.append(devices)
            return ["a context"]

        assert "a context" in watch.finish(gpu, lambda: ()).told
        assert asked == [watch._books.ground.devices]

    def test_a_gpu_that_cannot_be_asked_is_counted(self, watch: Watch) -> None:
        def gpu(_: set[str]) -> list[str]:
            raise OSError("no driver")

        assert watch.finish(gpu, lambda: ()).blind["the GPU memory of pytest itself: OSError: no driver"] == 1
