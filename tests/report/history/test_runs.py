"""What a column of a history says of its run."""

from __future__ import annotations

import msgspec
import pytest

import documents
from histories import on
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.history.runs import columns_of, instant


def test_a_run_has_its_day_its_versions_and_its_counts() -> None:
    run = documents.with_verdict(on(7), 0, verdict="FAIL")
    ((label, column),) = columns_of("run.json", run)
    assert label == "tf2.21.0-py3.11"
    assert (column.name, column.day, column.time) == ("run.json", "2026-01-07", "03:15")
    assert (column.versions, column.shortfall) == ("2.21.0, Python 3.11.7", "")
    assert column.counts == "1 FAIL, 5 PASS; tests: 3 passed"
    assert column.title == "2026-01-07, 2.21.0, Python 3.11.7"


def test_each_kernel_has_a_column_of_its_own_verdicts() -> None:
    run = documents.with_verdict(documents.of_kernels("2.20.0", "2.21.0", count=1), 0, verdict="FAIL")
    found = dict(columns_of("run.json", run))
    assert [one.counts for one in found.values()] == ["1 FAIL, 1 PASS; tests: 1 passed", "2 PASS; tests: 1 passed"]
    assert [one.versions for one in found.values()] == ["2.20.0, Python 3.11.7", "2.21.0, Python 3.11.7"]


def test_tests_alone_are_of_the_interpreter_beside_which_they_ran() -> None:
    run = documents.document(0)
    run = msgspec.structs.replace(run, environment=msgspec.structs.replace(run.environment, kernels=[]))
    ((label, column),) = columns_of("run.json", documents.with_own(run, documents.beside(None)))
    assert (label, column.versions) == (None, "no TensorFlow, Python 3.11.7")


def test_a_kernel_that_nobody_declared_has_a_column_too() -> None:
    run = documents.document(1)
    run = msgspec.structs.replace(run, environment=msgspec.structs.replace(run.environment, kernels=[]))
    assert [(label, one.versions) for label, one in columns_of("run.json", run)] == [("tf2.21.0-py3.11",) * 2]


@pytest.mark.parametrize(
    ("end", "shortfall"),
    [
        (None, "cut short"),
        (parts.End(seconds=1, exit_code=1, collected=9, unreported=["a", "b"]), "2 items without a report"),
    ],
)
def test_a_run_that_is_not_whole_says_so(end: parts.End | None, shortfall: str) -> None:
    run = msgspec.structs.replace(documents.document(1), end=end, complete=end is not None)
    assert [one.shortfall for _, one in columns_of("run.json", run)] == [shortfall]


@pytest.mark.parametrize(
    ("began", "day"),
    [
        ("2026-01-07T03:15:00Z", "2026-01-07"),
        ("2026-01-07T03:15:00", "2026-01-07"),
        ("2026-01-07T23:15:00-05:00", "2026-01-08"),
        ("yesterday", "yesterday"),
        ("", ""),
        ("0001-01-01T00:00:00+23:59", "0001-01-01"),
        ("9999-12-31T23:59:59-23:59", "9999-12-31"),
        ("2026-01-07T03:15:00 of an odd clock, with many words", "2026-01-07"),
    ],
)
def test_any_time_of_day_is_shown_and_can_be_sorted(began: str, day: str) -> None:
    ((_, column),) = columns_of("run.json", msgspec.structs.replace(documents.document(1), began=began))
    assert column.day == day
    assert sorted([instant(began), instant("2026-01-01T00:00:00Z"), instant("never")])
