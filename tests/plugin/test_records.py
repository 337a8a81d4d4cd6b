"""Verdicts on reports, which pytest-xdist sends as plain data."""

from __future__ import annotations

import json

import pytest

from pytest_tfkernel.model.trials import Record, Setting, State, Verdict
from pytest_tfkernel.plugin.suite import records


def report() -> pytest.TestReport:
    return pytest.TestReport("tfkernel::one[two]", ("tfkernel", None, "one"), {}, "passed", None, "call")


@pytest.mark.parametrize("state", State)
def test_record_comes_back_as_it_was(state: State) -> None:
    sent = Record("tfkernel::one[two]", "one", Setting("a", "b", "c", "d"), Verdict(state, "why", "with"), "dead", 3)
    one = report()
    records.attach(one, sent)
    data = json.loads(json.dumps(one._to_json()))
    assert records.of(pytest.TestReport._from_json(data)) == sent


def test_report_of_another_test_has_none() -> None:
    assert records.of(report()) is None
    assert records.of(object()) is None
