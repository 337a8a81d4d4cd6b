from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

import documents
from pytest_tfkernel.gpu_report import figures, outcomes
from pytest_tfkernel.gpu_report.figures import Figures, Notebook
from pytest_tfkernel.gpu_report.writing import ReportError
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.report.store import encode
from reports import CARD

EMPTY = Figures(format=figures.FORMAT, schema=figures.SCHEMA, complete=False, card=CARD, linux="6.1", python="3.12.1")


def run(path: Path, exit_code: int, **changes: object) -> Document:
    """A whole run document on disk."""
    found = documents.document()
    assert found.end is not None
    end = msgspec.structs.replace(found.end, exit_code=exit_code, unreported=[])
    made = msgspec.structs.replace(found, complete=True, **{"end": end, **changes})
    path.write_bytes(encode(made))
    return made


@pytest.mark.parametrize(("code", "whole"), [(0, True), (1, True), (2, False), (3, False), (4, False), (5, False)])
def test_a_run_is_whole_when_all_of_it_was_played(tmp_path: Path, code: int, whole: bool) -> None:
    run(tmp_path / "run.json", code)
    found = outcomes.of_run(tmp_path / "run.json")
    assert found.exit == (code if whole else None)
    assert bool(found.why) is not whole


def test_a_run_without_trials_or_with_items_that_nobody_reported_is_not_whole(tmp_path: Path) -> None:
    made = run(tmp_path / "run.json", 0, trials=[])
    assert outcomes.of_run(tmp_path / "run.json").exit is None
    assert made.end is not None
    run(tmp_path / "run.json", 1, end=msgspec.structs.replace(made.end, exit_code=1, unreported=["tfkernel::x"]))
    assert outcomes.of_run(tmp_path / "run.json").exit is None


@pytest.mark.parametrize("text", [None, "", "{", "[1, 2]", "0", '{"a": 1}', "[" * 100_000])
@pytest.mark.parametrize("judge", [outcomes.of_run, outcomes.of_figures, outcomes.of_doctor])
def test_what_is_no_document_is_not_whole(tmp_path: Path, text: str | None, judge: object) -> None:
    path = tmp_path / "x.json"
    if text is not None:
        path.write_text(text)
    found = judge(path)  # type: ignore[operator]
    assert found.exit is None
    assert found.why
    assert "\n" not in found.why


def test_a_doctor_that_is_whole_is_enough(tmp_path: Path) -> None:
    (tmp_path / "doctor.json").write_text(json.dumps({"schema": 1, "exit": 0}))
    assert outcomes.of_doctor(tmp_path / "doctor.json").exit == 0


def test_figures_are_on_disk_with_each_check(tmp_path: Path) -> None:
    path = tmp_path / "driver.json"
    notes = Notebook(path, EMPTY)
    assert outcomes.of_figures(path).exit is None
    notes.measured("settled", "s", 0.25)
    notes.measured("settled", "s", 0.75)
    notes.checked("a", Verdict.passed("so", "with"))
    found = figures.load(path)
    assert not found.complete
    (figure,), (check,) = found.figures, found.checks
    assert (figure.tries, figure.median, figure.largest, figure.values) == (2, 0.5, 0.75, [0.25, 0.75])
    assert (check.name, check.state, check.reason, check.given) == ("a", "PASS", "so", "with")
    notes.finish()
    assert outcomes.of_figures(path).exit == 0


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([Verdict.passed(), Verdict.unknown("no")], 0),
        ([Verdict.passed(), Verdict.failed("no")], 1),
        ([Verdict.unknown("no")], 1),
        ([], 1),
    ],
)
def test_figures_are_red_where_something_fails_or_nothing_holds(
    tmp_path: Path, verdicts: list[Verdict], code: int
) -> None:
    notes = Notebook(tmp_path / "driver.json", EMPTY)
    for verdict in verdicts:
        notes.checked("x", verdict)
    notes.finish()
    assert outcomes.of_figures(tmp_path / "driver.json").exit == code


def test_figures_of_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(encode(msgspec.structs.replace(EMPTY, schema=2)))
    with pytest.raises(ReportError, match="has schema 2, and this version writes 1"):
        figures.load(tmp_path / "x.json")
