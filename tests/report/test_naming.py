"""Names of documents that nobody has named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.naming import began_by, claim, claim_in, stem_of
from pytest_tfkernel.report.store import DocumentError

STEM = "20260101T031500Z_tf2.21.0-py3.11"


def start(began: str = "2026-01-01T03:15:00+00:00", *labels: str) -> parts.Start:
    run = documents.document(0)
    kernels = [msgspec.structs.replace(run.environment.kernels[0], label=label) for label in labels]
    environment = msgspec.structs.replace(run.environment, kernels=kernels) if labels else run.environment
    return documents.start(msgspec.structs.replace(run, began=began, environment=environment))


@pytest.mark.parametrize(
    ("began", "labels", "stem"),
    [
        ("2026-01-01T03:15:00Z", (), STEM),
        ("2026-01-01T05:15:00+02:00", (), STEM),
        (
            "2026-01-01T03:15:00Z",
            ("tf2.20.0-py3.11", "tf2.21.0-py3.11"),
            "20260101T031500Z_tf2.20.0-py3.11+tf2.21.0-py3.11",
        ),
        ("2026-01-01T03:15:00Z", ("../_my build$(x)",), "20260101T031500Z_..-my-build-x-"),
        ("2026-01-01T03:15:00Z", ("x" * 300,), "20260101T031500Z_" + "x" * 80),
    ],
)
def test_name_has_date_and_versions_and_nothing_that_a_shell_reads(
    began: str, labels: tuple[str, ...], stem: str
) -> None:
    assert stem_of(start(began, *labels)) == stem


@pytest.mark.parametrize(
    ("name", "began"),
    [
        (f"{STEM}.json", "2026-01-01T03:15:00+00:00"),
        (f"0007_{STEM}_nightly.json.incomplete", "2026-01-01T03:15:00+00:00"),
        ("run.json", ""),
        ("20260101T031500Z.json", ""),
        ("x20260101T031500Z_tf.json", ""),
    ],
)
def test_a_name_of_ours_says_when(name: str, began: str) -> None:
    assert began_by(name) == began


def test_runs_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    first, second = claim_in(folder, start()), claim_in(folder, start())
    documents.write(first, documents.document(1))
    assert [one.name for one in (first, second, claim_in(folder, start()))] == [
        f"{STEM}.json",
        f"{STEM}-2.json",
        f"{STEM}-3.json",
    ]


def test_a_place_is_claimed_once(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    assert claim(path)
    assert not claim(path)
    documents.write(path, documents.document(1))
    assert not claim(path)
    assert [one.name for one in tmp_path.iterdir()] == ["run.json"]


def test_a_run_that_ends_between_two_looks_keeps_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.json"
    opened = os.open

    def after_its_end(*words: Any, **more: Any) -> int:
        path.write_text("{}")
        return opened(*words, **more)

    monkeypatch.setattr(os, "open", after_its_end)
    assert not claim(path)
    monkeypatch.undo()
    assert [one.name for one in tmp_path.iterdir()] == ["run.json"]


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DocumentError, match=r"file/folder can't be written: Not a directory; name another folder"):
        claim_in(tmp_path / "file" / "folder", start())
