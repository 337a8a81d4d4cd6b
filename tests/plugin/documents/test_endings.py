"""How a session ended, as its document says it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from pytest_tfkernel.plugin.documents.endings import SessionEnding


def cut_by(ending: SessionEnding, *, fail: object = False, stop: object = False, everything: bool = False) -> str:
    session = SimpleNamespace(shouldfail=fail, shouldstop=stop)
    return ending.cut_by(cast("pytest.Session", session), everything=everything)


def raised(error: BaseException) -> pytest.ExceptionInfo[BaseException]:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught


class Stop(Exception):  # noqa: N818 - as pytest's own
    pass


def test_one_that_came_to_its_end_was_not_cut() -> None:
    assert cut_by(SessionEnding()) == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (pytest.exit.Exception("enough"), "pytest.exit: enough"),
        (pytest.exit.Exception(""), "pytest.exit"),
    ],
)
def test_what_breaks_one_off_is_said_even_after_the_last_item(error: BaseException, words: str) -> None:
    ending = SessionEnding()
    ending.interrupted(raised(error))
    assert cut_by(ending) == cut_by(ending, everything=True) == words


@pytest.mark.parametrize(
    ("error", "words"), [(Stop("stopping after 1 failures"), "stopping after 1 failures"), (Stop(), "Stop")]
)
def test_what_stops_it_between_items_cuts_nothing_after_the_last(error: Exception, words: str) -> None:
    ending = SessionEnding()
    ending.interrupted(raised(error))
    assert (cut_by(ending), cut_by(ending, everything=True)) == (words, "")


def test_what_the_session_was_told_is_a_reason_too() -> None:
    assert cut_by(SessionEnding(), fail="stopping after 1 failures") == "stopping after 1 failures"
    assert cut_by(SessionEnding(), stop="a plugin said so") == "a plugin said so"
    assert cut_by(SessionEnding(), stop="a plugin said so", everything=True) == ""


def test_the_first_worker_that_died_is_the_one() -> None:
    ending = SessionEnding()
    ending.lost("gw0")
    ending.lost("gw1")
    assert cut_by(ending) == "worker gw0 died"


def test_an_error_inside_pytest_and_a_file_that_can_not_be_collected() -> None:
    ending = SessionEnding()
    ending.failed(raised(KeyError("a")))
    assert cut_by(ending, everything=True) == "internal error: KeyError"
    ending = SessionEnding()
    ending.uncollected("test_a.py")
    assert cut_by(ending, everything=True) == "test_a.py can't be collected"
