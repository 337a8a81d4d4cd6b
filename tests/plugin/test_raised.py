"""What a phase has raised, in words that go along with its report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_tfkernel.plugin import raised
from pytest_tfkernel.report import document


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


class FailingError(Exception):
    def __str__(self) -> str:
        raise pytest.fail.Exception("of its own")


def report_of(error: BaseException) -> pytest.TestReport:
    def raises() -> None:
        raise error

    report = pytest.TestReport("a.py::test", ("a.py", 0, "test"), {}, "failed", None, "call")
    raised.note(report, pytest.CallInfo.from_call(raises, "call"))
    return report


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("a"), ("KeyError", "'a'")),
        (ValueError("\udcff"), ("ValueError", "\\udcff")),
        (ValueError("x" * 5000), ("ValueError", "x" * document.LONGEST_MESSAGE)),
        (ValueError("\udcff" * 5000), ("ValueError", ("\\udcff" * 5000)[: document.LONGEST_MESSAGE])),
        (MuteError(), (f"{__name__}.MuteError", "<its message can't be had: RuntimeError>")),
        (FailingError(), (f"{__name__}.FailingError", "<its message can't be had: Failed>")),
    ],
    ids=["plain", "surrogate", "long", "long of surrogates", "mute", "failing"],
)
def test_class_and_message_are_on_the_report(error: BaseException, words: tuple[str, str]) -> None:
    assert raised.noted(report_of(error)) == words


@pytest.mark.parametrize("told", [None, "text", ["one"], ["one", 2], {"a": 1}, [["a"], "b"]], ids=repr)
def test_what_another_process_has_made_of_it_is_looked_at(told: Any) -> None:
    report = report_of(KeyError("a"))
    (name,) = (name for name in vars(report) if name.startswith("tfkernel_"))
    setattr(report, name, told)
    assert raised.noted(report) is None


def test_what_has_not_failed_has_none() -> None:
    report = pytest.TestReport("a.py::test", ("a.py", 0, "test"), {}, "passed", None, "call")
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    raised.note(report, pytest.CallInfo.from_call(nothing, "call"))
    assert raised.noted(report) is None
