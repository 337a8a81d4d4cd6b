from __future__ import annotations

import pytest

import documents
from pytest_tfkernel.model.trials import State
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.differences import Change
from pytest_tfkernel.report.compare.states import change, of_test, of_verdict, worse

PASS, FAIL, KNOWN, UNKNOWN = State


@pytest.mark.parametrize(
    ("ref", "changed", "expected"),
    [
        (PASS, PASS, None),
        (FAIL, FAIL, None),
        (KNOWN, KNOWN, None),
        (UNKNOWN, UNKNOWN, None),
        (PASS, FAIL, Change.LOST),
        (UNKNOWN, FAIL, Change.FAILING),
        (None, FAIL, Change.FAILING),
        # Whatever fails so isn't what was known.
        (KNOWN, FAIL, Change.FAILING),
        (PASS, UNKNOWN, Change.UNKNOWN),
        # It failed, and nobody knows that it doesn't any more.
        (FAIL, UNKNOWN, Change.UNKNOWN),
        (KNOWN, UNKNOWN, Change.UNKNOWN),
        (PASS, KNOWN, Change.KNOWN),
        # Neither is better than it was, nor worse.
        (FAIL, KNOWN, Change.LISTED),
        (UNKNOWN, KNOWN, Change.LISTED),
        (FAIL, PASS, Change.FIXED),
        (KNOWN, PASS, Change.FIXED),
        (UNKNOWN, PASS, Change.CHECKED),
        (None, PASS, Change.NEW),
        (None, UNKNOWN, Change.NEW),
        (None, KNOWN, Change.NEW),
        (PASS, None, Change.MISSING),
        (FAIL, None, Change.MISSING),
        (UNKNOWN, None, Change.MISSING),
        (KNOWN, None, Change.MISSING),
    ],
)
def test_each_pair_of_states_has_its_word(ref: State | None, changed: State | None, expected: Change | None) -> None:
    assert change(ref, changed) is expected


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("passed", PASS),
        ("xpassed", PASS),
        ("failed", FAIL),
        ("error", FAIL),
        ("skipped", UNKNOWN),
        ("xfailed", UNKNOWN),
    ],
)
def test_outcomes_of_pytest_are_states(outcome: parts.OutcomeWord, state: State) -> None:
    assert of_test(parts.Test(item="t", outcome=outcome, seconds=0.0)) is state


def test_the_worse_of_two_is_chosen() -> None:
    verdicts = [
        documents.verdict(documents.setting(0, "tf"), state=state.value) for state in (PASS, UNKNOWN, KNOWN, FAIL)
    ]
    for place, one in enumerate(verdicts):
        for other in verdicts[: place + 1]:
            assert worse(one, other, of_verdict) is one
            assert worse(other, one, of_verdict) is one


def test_the_last_one_of_equals_is_chosen() -> None:
    one, other = (documents.verdict(documents.setting(0, "tf"), reason=reason) for reason in ("first", "last"))
    assert worse(one, other, of_verdict) is other
