"""How far a run is, written as it goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_tfkernel.plugin.documents.progress import RunProgress
from pytest_tfkernel.report.store import DocumentError

IDS = ["tfkernel::a[x/s-1]", "tfkernel::b[x/s-1]", "tfkernel::a[s-2]", "test_a.py::test_it[1]"]


def test_trials_are_counted_once_whatever_their_verdicts(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    progress = RunProgress(str(path))
    assert path.read_text() == ""
    progress.collected(IDS)
    for one in IDS:
        progress.done(one)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"collected": [2, 1]},
        {"done": [1, 0]},
        {"done": [1, 0]},
        {"done": [2, 0]},
        {"done": [2, 1]},
    ]


def test_a_file_that_is_gone_is_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    progress = RunProgress(str(path))
    path.unlink()
    progress.collected(IDS)
    assert not path.exists()


def test_nobody_asked_for_it() -> None:
    RunProgress(None).collected(IDS)


@pytest.mark.parametrize("name", ["/no/such/folder/file", "/", "a\0b"])
def test_a_place_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(DocumentError, match="it can't be written"):
        RunProgress(name)
