"""The sentence at the top of the page: true of the verdicts and of the user's own tests."""

from __future__ import annotations

import msgspec
import pytest

import documents
from pytest_tfkernel.model.defects import Defect
from pytest_tfkernel.report.document import OutcomeWord, StateWord
from pytest_tfkernel.report.page.answers import answer
from pytest_tfkernel.report.page.tallies import VerdictCounts

DEAF = Defect("deaf", "it is deaf", table="ours", always=True)


def said(states: tuple[StateWord, ...], outcomes: tuple[OutcomeWord, ...]) -> tuple[str, str]:
    run = documents.document(len(states), tests=len(outcomes))
    verdicts = [
        msgspec.structs.replace(run.verdicts[2 * place], verdict=state, defect=DEAF if state == "KNOWN" else None)
        for place, state in enumerate(states)
    ]
    tests = [msgspec.structs.replace(test, outcome=outcome) for test, outcome in zip(run.tests, outcomes, strict=True)]
    run = msgspec.structs.replace(run, verdicts=verdicts, tests=tests)
    return answer(run, VerdictCounts.of(run.verdicts))


SUITES: tuple[tuple[tuple[StateWord, ...], str, str], ...] = (
    (("PASS",), "The one verdict is PASS", "the one verdict is PASS"),
    (("PASS", "PASS"), "All 2 verdicts are PASS", "all 2 verdicts are PASS"),
    (("PASS", "FAIL"), "1 of 2 verdicts is FAIL", "1 of 2 verdicts is FAIL"),
    (
        ("PASS", "KNOWN"),
        "All that could be looked at holds but for what is known; 1 of 2 verdicts is KNOWN",
        "1 of 2 verdicts is KNOWN",
    ),
    (
        ("PASS", "UNKNOWN", "UNKNOWN"),
        "All that could be looked at holds; 2 of 3 verdicts are UNKNOWN",
        "2 of 3 verdicts are UNKNOWN",
    ),
    (
        ("KNOWN", "UNKNOWN"),
        "All that could be looked at holds but for what is known; 1 of 2 verdicts is KNOWN; 1 of 2 verdicts is UNKNOWN",
        "1 of 2 verdicts is KNOWN; 1 of 2 verdicts is UNKNOWN",
    ),
    (("UNKNOWN",), "No verdict is PASS, so nothing was shown of kernels", "1 of 1 verdict is UNKNOWN"),
)


@pytest.mark.parametrize(("states", "alone", "beside"), SUITES)
@pytest.mark.parametrize("bad", ["failed", "error"])
def test_a_test_that_failed_comes_first_whatever_the_suite_says(
    states: tuple[StateWord, ...], alone: str, beside: str, bad: OutcomeWord
) -> None:
    assert said(states, ("passed", bad)) == ("FAIL", f"1 of your 2 tests failed; {beside}")
    assert said(states, ("passed", "skipped"))[1] == alone


@pytest.mark.parametrize(("states", "alone", "beside"), SUITES[:-1])
def test_tests_that_did_not_fail_change_nothing(states: tuple[StateWord, ...], alone: str, beside: str) -> None:
    good: tuple[tuple[OutcomeWord, ...], ...] = ((), ("passed",), ("skipped",), ("xfailed", "xpassed"))
    assert {said(states, outcomes)[1] for outcomes in good} == {alone}


def test_where_nothing_at_all_passed_that_is_said() -> None:
    assert said(("UNKNOWN",), ("skipped",)) == ("UNKNOWN", "Nothing passed, so nothing was shown")
    assert said(("UNKNOWN",), ()) == ("UNKNOWN", "Nothing passed, so nothing was shown")


@pytest.mark.parametrize(
    ("outcomes", "state", "words"),
    [
        ((), "", "Nothing was checked"),
        (("passed",), "PASS", "1 test of your own ran, none of them failed; the suite was not asked for"),
        (("passed", "error"), "FAIL", "2 tests of your own ran, 1 of them failed; the suite was not asked for"),
        (("skipped",), "UNKNOWN", "1 test of your own ran, none of them failed; the suite was not asked for"),
    ],
)
def test_tests_alone(outcomes: tuple[OutcomeWord, ...], state: str, words: str) -> None:
    assert said((), outcomes) == (state, words)
