"""A comparison, as the page shows it."""

from __future__ import annotations

import dataclasses

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.comparison import compare
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.report.page.compared import compared
from pytest_tfkernel.report.page.matrices import Position

REASON = "the variable read 2.0"


def places(document: parts.Document) -> dict[parts.Setting, Position]:
    return {trial.setting: Position(number, f"t-{number}") for number, trial in enumerate(document.trials)}


def failing(document: parts.Document, *numbers: int) -> parts.Document:
    for number in numbers:
        document = documents.with_verdict(document, number, verdict="FAIL", reason=REASON)
    return document


def test_what_is_lost_leads_to_its_trials() -> None:
    run = failing(documents.document(), 1, 3)
    found = compared(run, documents.document(tensorflow="2.20.0"), places(run))
    assert found.is_worse
    (part,) = [part for part in found.parts if part.regression]
    (entry,) = part.entries
    assert (entry.what, entry.before, entry.after) == ("session-is-rebuilt", "PASS", f"FAIL: {REASON}")
    assert [place and place.anchor for _, place in entry.places] == ["t-0", "t-1"]
    assert any("2.20.0" in line for line in found.surroundings)


def test_kernels_of_one_run_are_told_apart() -> None:
    ref, run = documents.of_kernels("2.20.0", "2.21.0"), documents.of_kernels("2.20.0", "2.21.0")
    last = len(run.verdicts) - 1
    (part,) = [part for part in compared(failing(run, last), ref, places(run)).parts if part.regression]
    assert [place and place.number for _, place in part.entries[0].places] == [len(run.trials) - 1]


def test_what_only_the_ref_has_leads_nowhere() -> None:
    run = documents.document(3)
    found = compared(run, documents.document(6), places(run))
    missing = [place for part in found.parts for entry in part.entries for _, place in entry.places]
    assert None in missing


def test_many_places_are_cut() -> None:
    run = failing(documents.document(60), *range(1, 120, 2))
    (part,) = [part for part in compared(run, documents.document(60), places(run)).parts if part.regression]
    assert len(part.entries[0].places) + part.entries[0].more == 60
    assert part.entries[0].more > 0


def test_same_run_is_same_or_better() -> None:
    run = documents.document()
    found = compared(run, run, places(run))
    assert (found.is_worse, found.parts, found.trouble) == (False, (), "")


def test_comparison_by_other_rules_stays_as_it_is() -> None:
    run = failing(documents.document(), 1)
    found = compare(Side("old.json", documents.document()), Side("new.json", run))
    forgiven = tuple(dataclasses.replace(one, regression=False) for one in found.differences)
    assert not compared(run, dataclasses.replace(found, differences=forgiven), places(run)).is_worse


def test_ref_with_which_nothing_can_be_compared_is_said() -> None:
    run = documents.document()
    assert compared(run, documents.document(0, tests=0), places(run)).trouble
