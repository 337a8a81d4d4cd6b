"""What became of each verdict and test."""

from __future__ import annotations

import msgspec
import pytest

import documents
from pytest_tfkernel.model.trials import State
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.report.history.outcomes import OutcomeOf, Outcomes, SeenOutcome

LABEL = "tf2.21.0-py3.11"


def noted(*runs: Document) -> Outcomes:
    outcomes = Outcomes()
    for column, run in enumerate(runs):
        outcomes.add(run, {LABEL: column})
    return outcomes


def words(outcomes: Outcomes, subject: OutcomeOf, columns: int) -> list[str]:
    return [one.word if one is not None else "" for one in outcomes.track(subject, columns)]


def subject_of(run: Document, number: int) -> OutcomeOf:
    one = run.verdicts[number]
    setting = one.setting
    return OutcomeOf(one.guarantee, (setting.provisioner, setting.example, setting.fault, setting.phase))


def test_each_run_says_what_it_saw_and_a_run_without_it_says_nothing() -> None:
    run = documents.document(2)
    none = msgspec.structs.replace(run, verdicts=[], tests=[])
    outcomes = noted(none, run, none, documents.with_verdict(run, 1, verdict="FAIL", reason="because"), none)
    assert words(outcomes, subject_of(run, 1), 5) == ["", "PASS", "", "FAIL", ""]
    assert words(outcomes, subject_of(run, 0), 5) == ["", "PASS", "", "PASS", ""]
    assert outcomes.is_changed(subject_of(run, 1))
    assert not outcomes.is_changed(subject_of(run, 0))
    assert outcomes.reason(subject_of(run, 1)) == "because"
    assert not outcomes.is_in_all(subject_of(run, 0), 5)
    assert noted(run).is_in_all(subject_of(run, 0), 1)


@pytest.mark.parametrize("word", ["failed", "error", "skipped", "xfailed", "xpassed"])
def test_each_word_of_pytests_is_an_outcome(word: str) -> None:
    run = documents.document(1)
    outcomes = noted(run, documents.with_test(run, 0, outcome=word, error_type="OSError", error_message="no"))
    subject = OutcomeOf(run.tests[0].item, None)
    assert words(outcomes, subject, 2) == ["passed", word]
    assert outcomes.is_changed(subject)
    assert outcomes.reason(subject) == ("" if word == "xpassed" else "OSError: no")


def test_every_outcome_has_a_letter_of_its_own() -> None:
    verdicts = [SeenOutcome(state.value, state) for state in State]
    tests = [SeenOutcome(word, State.PASS) for word in ("passed", "failed", "error", "skipped", "xfailed", "xpassed")]
    letters = [one.letter for one in (*verdicts, *tests)]
    assert len(set(letters)) == len(letters)
    assert "." not in letters


def test_of_two_in_one_run_the_worse_counts() -> None:
    run = documents.document(1)
    twice = msgspec.structs.replace(
        run, tests=[parts.Test(item="a", outcome=word, seconds=0) for word in ("failed", "passed")]
    )
    assert words(noted(twice), OutcomeOf("a", None), 1) == ["failed"]


def test_kernels_have_columns_and_what_is_of_none_is_in_all_of_them() -> None:
    run = documents.of_kernels("2.20.0", "2.21.0", count=1)
    run = documents.with_verdict(run, 0, verdict="FAIL")
    planted = msgspec.structs.replace(run.verdicts[0].setting, kernel=None, example="planted-leaks")
    run = msgspec.structs.replace(run, verdicts=[*run.verdicts, documents.verdict(planted, "audit-is-trusted")])
    outcomes = Outcomes()
    outcomes.add(run, {"tf2.20.0-py3.11": 0, LABEL: 1})
    assert words(outcomes, subject_of(run, 0), 2) == ["FAIL", "PASS"]
    assert words(outcomes, subject_of(run, len(run.verdicts) - 1), 2) == ["PASS", "PASS"]
    assert words(outcomes, OutcomeOf(run.tests[0].item, None), 2) == ["passed", "passed"]
