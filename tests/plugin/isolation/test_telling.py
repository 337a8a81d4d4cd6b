"""In which order reports are told, and what the last one of a process says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import reports
from pytest_tfkernel.plugin.isolation.telling import Teller


class Heard:
    """A test, and what pytest has heard of it."""

    def __init__(self) -> None:
        self.reports: list[pytest.TestReport] = []
        self.nodeid, self.location, self.keywords = "test_a.py::test", ("test_a.py", 0, "test"), dict[str, int]()
        self.ihook = SimpleNamespace(pytest_runtest_logreport=self.hear)

    def hear(self, report: pytest.TestReport) -> None:
        self.reports.append(report)

    def report(self, when: Any, outcome: Any = "passed") -> pytest.TestReport:
        return pytest.TestReport(self.nodeid, self.location, {}, outcome, None, when)

    @property
    def phases(self) -> list[tuple[str, str]]:
        return [(report.when or "", report.outcome) for report in self.reports]


@pytest.fixture
def item() -> Any:
    return Heard()


@pytest.fixture
def teller() -> Teller:
    made = Teller()
    made.begin()
    return made


def test_a_teardown_waits_for_what_comes_after_it(teller: Teller, item: Any) -> None:
    for when in ("setup", "call", "teardown"):
        teller.tell(item, item.report(when))
    assert item.phases == [("setup", "passed"), ("call", "passed")]
    teller.spoil("something was found")
    teller.release()
    assert item.phases[2:] == [("teardown", "failed")]
    assert item.reports[-1].longrepr == "something was found"


def test_a_second_try_tells_the_teardown_of_the_first(teller: Teller, item: Any) -> None:
    for when in ("setup", "call", "teardown", "setup"):
        teller.tell(item, item.report(when))
    assert [when for when, _ in item.phases] == ["setup", "call", "teardown", "setup"]


def test_what_is_found_when_all_is_told_is_a_report_of_its_own(teller: Teller, item: Any) -> None:
    for when in ("setup", "call", "teardown"):
        teller.tell(item, item.report(when))
    teller.release()
    teller.spoil("it died")
    teller.release()
    assert item.phases[-2:] == [("teardown", "passed"), ("teardown", "failed")]
    # But not when somebody has interrupted the run.
    teller.interrupt()
    teller.spoil("it died")
    teller.release()
    assert len(item.phases) == 4


@pytest.mark.parametrize(
    ("told", "phases"),
    [
        ([], [("setup", "failed"), ("teardown", "passed")]),
        (["setup"], [("setup", "passed"), ("call", "failed"), ("teardown", "passed")]),
        (["setup", "call"], [("setup", "passed"), ("call", "passed"), ("teardown", "failed")]),
        (["setup", "call", "teardown"], [("setup", "passed"), ("call", "passed"), ("teardown", "failed")]),
    ],
)
def test_what_can_not_go_on_fails_in_its_phase(
    teller: Teller, item: Any, told: list[str], phases: list[tuple[str, str]]
) -> None:
    for when in told:
        teller.tell(item, item.report(when))
    assert teller.is_told == (told[1:] != [])
    teller.fail(item, reports.missing(""))
    teller.release()
    assert item.phases == phases
