"""The first line."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.compare.expectations import Expectation

Compare = Callable[..., Comparison]

OLD = documents.document(tensorflow="2.20.0", tests=812)
NEW = documents.document(tensorflow="2.21.0", tests=812)
FAILED = {"outcome": "failed", "error_type": "E"}
DIED = parts.Death(code=3)


def changed(*steps: Callable[[parts.Document], parts.Document]) -> parts.Document:
    document = NEW
    for step in steps:
        document = step(document)
    return document


def test_two_behaviours_and_three_tests(compared: Compare) -> None:
    # The same change in two trials is one behaviour.
    new = changed(
        lambda it: documents.with_trial(it, 0, death=DIED),
        lambda it: documents.with_trial(it, 1, death=DIED),
        lambda it: documents.with_trial(it, 2, error_type="KeyError"),
        lambda it: documents.with_test(it, 0, **FAILED),
        lambda it: documents.with_test(it, 1, **FAILED),
        lambda it: documents.with_test(it, 2, **FAILED),
    )
    assert compared(OLD, new).answer == (
        "2.20.0 -> 2.21.0: no guarantee lost, 2 behaviours changed; of your 812 tests 3 fail that passed"
    )


def test_nothing(compared: Compare) -> None:
    assert compared(OLD, NEW).answer == (
        "2.20.0 -> 2.21.0: no guarantee lost, no behaviour changed; of your 812 tests none fails that passed"
    )


def test_a_guarantee_is_lost_once_in_however_many_trials(compared: Compare) -> None:
    new = changed(
        lambda it: documents.with_verdict(it, 0, verdict="FAIL"),
        lambda it: documents.with_verdict(it, 2, verdict="FAIL"),
    )
    assert ": 1 guarantee lost, no behaviour" in compared(OLD, new).answer
    both = documents.with_verdict(new, 1, verdict="FAIL")
    assert ": 2 guarantees lost, no behaviour" in compared(OLD, both).answer
    assert ": no guarantee lost, 2 fixed, no behaviour" in compared(both, OLD).answer


def test_what_ref_did_not_check_and_what_is_not_checked_any_more(compared: Compare) -> None:
    unclear = documents.with_verdict(OLD, 0, verdict="UNKNOWN")
    failing = documents.with_verdict(NEW, 0, verdict="FAIL")
    assert "no guarantee lost, 1 guarantee newly failing" in compared(unclear, failing).answer
    assert "1 of 12 verdicts not checked any more" in compared(OLD, unclear).answer


@pytest.mark.parametrize("complete", [True, False])
def test_a_partial_run_says_what_it_did_not_run(compared: Compare, complete: bool) -> None:
    partial = msgspec.structs.replace(NEW, verdicts=NEW.verdicts[:5], tests=NEW.tests[:12])
    if not complete:
        partial = msgspec.structs.replace(partial, complete=False, end=None)
    answer = compared(OLD, partial).answer
    assert answer == (
        "2.20.0 -> 2.21.0: no guarantee lost, no behaviour changed, 7 of 12 verdicts not run;"
        f" of your 812 tests none fails that passed, 800 not run{'' if complete else '; changed is incomplete'}"
    )


def test_tests_that_are_fixed_skipped_changed_or_failing_anew(compared: Compare) -> None:
    old = documents.with_test(documents.with_test(OLD, 0, **FAILED), 1, outcome="skipped")
    new = changed(
        lambda it: documents.with_test(it, 1, **FAILED),
        lambda it: documents.with_test(it, 2, outcome="skipped"),
        lambda it: documents.with_test(it, 3, leaks=[documents.leak("lock", "a"), documents.leak("lock", "b")]),
    )
    assert compared(old, new).answer.partition("; ")[2] == (
        "of your 812 tests none fails that passed, 1 fails that ref didn't run, 1 fixed, 1 changed,"
        " 1 skipped that ref ran"
    )


def test_expected_differences_are_counted_apart(compared: Compare) -> None:
    new = changed(lambda it: documents.with_verdict(it, 0, verdict="FAIL"))
    known = [Expectation(reason="r", change="lost", guarantee="*")]
    assert compared(OLD, new, known=known).answer.endswith("passed; 1 difference expected")
    assert ": no guarantee lost," in compared(OLD, new, known=known).answer


def test_medians_beyond_their_limit(compared: Compare) -> None:
    new = msgspec.structs.replace(NEW, trials=[msgspec.structs.replace(one, seconds=0.9) for one in NEW.trials])
    assert "median" not in compared(OLD, new).answer
    answer = compared(OLD, new, fail_on=["slower:50%"]).answer
    assert answer.endswith("; 1 median of time or memory beyond the limit")


def test_runs_without_tests_or_without_the_suite(compared: Compare) -> None:
    suite = [msgspec.structs.replace(one, tests=[]) for one in (OLD, NEW)]
    assert compared(*suite).answer == "2.20.0 -> 2.21.0: no guarantee lost, no behaviour changed"
    unjudged = [msgspec.structs.replace(one, verdicts=[]) for one in suite]
    assert compared(*unjudged).answer == "2.20.0 -> 2.21.0: no guarantee lost, no behaviour changed"
    tests = [msgspec.structs.replace(one, verdicts=[], trials=[]) for one in (OLD, NEW)]
    assert compared(*tests).answer == "2.20.0 -> 2.21.0: of your 812 tests none fails that passed"


def test_it_is_one_line_whatever_the_names(compared: Compare) -> None:
    old, new = (documents.document(tensorflow=name) for name in ("2\n\x1b[31m", "\ud800"))
    assert compared(old, new).answer.startswith("2\\n\\x1b[31m -> \\ud800: ")
