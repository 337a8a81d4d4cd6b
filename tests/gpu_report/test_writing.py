"""Files of a report: whole at any moment, and read as what they say that they are."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from pytest_tfkernel.gpu_report.writing import ReportError, read, write


class Thing(msgspec.Struct, kw_only=True):
    format: str = "pytest-tfkernel thing"
    schema: int = 3
    value: int


def load(path: Path) -> Thing:
    return read(path, Thing, form="pytest-tfkernel thing", schema=3)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "thing.json"
    for value in (1, 2):
        write(path, Thing(value=value))
        assert load(path).value == value
    assert os.listdir(tmp_path) == ["thing.json"]
    assert path.read_bytes().endswith(b"}\n")


def test_what_was_there_stays_where_it_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "thing.json"
    write(path, Thing(value=1))

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ReportError, match=r"thing.json can't be written: No space left on device; make room or name"):
        write(path, Thing(value=2))
    assert load(path).value == 1
    assert os.listdir(tmp_path) == ["thing.json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "can't be read: No such file or directory"),
        ("", "is cut short, or was changed by hand: "),
        ("[]", "is cut short, or was changed by hand: "),
        ("{}", "is no thing$"),
        ('{"format": "another", "schema": 3}', "is no thing$"),
        ('{"format": "pytest-tfkernel thing", "schema": 2}', "has schema 2, and this version writes 3$"),
        ('{"format": "pytest-tfkernel thing", "schema": 3, "value": "x"}', "is cut short, or was changed by hand: "),
    ],
)
def test_anything_else_is_refused_in_a_line_that_begins_with_the_path(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "thing.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ReportError, match=f"^{path} {words}"):
        load(path)
