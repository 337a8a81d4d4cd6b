"""Reports and warnings that were told: whatever comes is read, or said to be unreadable."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import codec, reports

REPORT = pytest.TestReport("a.py::b", ("a.py", 1, "b"), {}, "passed", None, "call")


def data(**changes: object) -> dict[str, Any]:
    report = pytest.TestReport("a.py::b", ("a.py", 1, "b"), {}, "passed", None, "call")
    found = report._to_json()
    return {"data": codec.encode({**found, "$report_type": "TestReport", **changes})}


def test_a_report_is_read(pytestconfig: pytest.Config) -> None:
    report = reports.told(pytestconfig, data())
    assert (report.nodeid, report.when, report.location) == ("a.py::b", "call", ("a.py", 1, "b"))


@pytest.mark.parametrize(
    "changes",
    [
        {"nodeid": 3},
        {"outcome": None},
        {"when": "later"},
        {"location": None},
        {"location": ("a",)},
        {"keywords": 3},
        {"duration": "long"},
        {"sections": [("one",)]},
        {"sections": [(1, "two")]},
        {"user_properties": [1]},
        {"$report_type": "Nonsense"},
        {"longrepr": {"reprcrash": 3, "reprtraceback": 4}},
    ],
    ids=str,
)
def test_what_is_no_report_is_told_in_a_line(pytestconfig: pytest.Config, changes: dict[str, object]) -> None:
    with pytest.raises(reports.UnreadableError, match="can't be read"):
        reports.told(pytestconfig, data(**changes))


@pytest.mark.parametrize("wrong", [{}, {"$": "nope"}, {"$": "tuple"}, {"a": {"$": "float", "text": "x"}}])
def test_what_is_no_data_is_told_in_a_line(pytestconfig: pytest.Config, wrong: dict[str, object]) -> None:
    with pytest.raises(reports.UnreadableError, match="can't be read"):
        reports.told(pytestconfig, {"data": wrong})


class _Odd(UserWarning):
    def __init__(self, one: object, two: object) -> None:
        super().__init__(one, two)


class _Heard:
    def __init__(self) -> None:
        self.config = self
        self.hook = self
        self.pytest_warning_recorded = self
        self.heard: list[warnings.WarningMessage] = []

    def call_historic(self, kwargs: dict[str, Any]) -> None:
        self.heard.append(kwargs["warning_message"])


@pytest.mark.parametrize(
    ("category", "name"),
    [
        (["builtins", "DeprecationWarning"], "DeprecationWarning"),
        (["nowhere", "Of.TheirOwn"], "TheirOwn"),
        (["builtins", "int"], "int"),
        ([__name__, "_Odd"], "_Odd"),
    ],
)
def test_a_warning_of_any_class_is_heard(category: list[str], name: str) -> None:
    config: Any = _Heard()
    told = {"text": "words", "filename": "f.py", "lineno": 3, "nodeid": "", "when": "runtest", "location": None}
    reports.warning(config, {**told, "category": category})
    (heard,) = config.heard
    assert heard.category.__name__ == name
    assert str(heard.message) == "words"
    assert issubclass(heard.category, Warning)
