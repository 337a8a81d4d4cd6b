"""The book of deaths: what is expected is kept, and what is forgotten is known to be."""

from __future__ import annotations

import signal

import pytest

from pytest_tfkernel.model.processes import ExitStatus, ProcessId
from pytest_tfkernel.processes.postmortems.deaths import Death, Deaths

KILLED = ExitStatus(signal=signal.SIGKILL)


def death(pid: int, time: float = 0.0, status: ExitStatus = KILLED, signals: tuple[int, ...] = ()) -> Death:
    return Death(ProcessId(pid, 1), status, None, time, signals)


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Deaths:
    monkeypatch.setattr("pytest_tfkernel.processes.postmortems.deaths._KEPT_DEATHS", 2)
    return Deaths()


@pytest.mark.parametrize("late", [False, True])
def test_what_is_expected_is_kept(book: Deaths, late: bool) -> None:
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


def test_one_that_lives_is_not_in_it(book: Deaths) -> None:
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
def test_orphans_that_somebody_else_killed_are_known(book: Deaths, one: Death, found: bool) -> None:
    book.add(one)
    assert book.has_killed_orphans(10.0) is found


def test_of_those_that_are_kept_no_more_nothing_is_known(book: Deaths) -> None:
    for pid in range(1, 4):
        book.add(death(pid, 10.0, ExitStatus(code=0)))
    assert (book.has_killed_orphans(10.0), book.has_killed_orphans(11.0)) == (True, False)


def test_one_that_was_expected_is_no_orphan(book: Deaths) -> None:
    book.expect(ProcessId(1, 1))
    book.add(death(1, 10.0))
    assert not book.has_killed_orphans(10.0)
