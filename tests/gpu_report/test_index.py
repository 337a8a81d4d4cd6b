"""Which parts of a report were begun, and how they ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.gpu_report import index
from pytest_tfkernel.gpu_report.index import Index, Step
from pytest_tfkernel.gpu_report.writing import ReportError, write
from reports import MACHINE

CUT, DONE = Step(part="driver", state="cut"), Step(part="driver", state="done")


def test_a_part_that_was_tried_again_has_several_steps() -> None:
    found = Index.new(MACHINE).with_step(CUT)
    assert found.done("driver") is None
    found = found.with_step(Step(part="driver", state="running")).with_last(DONE)
    assert found.steps == [CUT, DONE]
    assert (found.done("driver"), found.done("another")) == (DONE, None)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = Index.new(MACHINE).with_step(DONE)
    write(tmp_path / index.NAME, found)
    assert index.load(tmp_path / index.NAME) == found


def test_of_another_kind_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / index.NAME).write_text("{}")
    with pytest.raises(ReportError, match=r"index.json is no gpu report: name another folder$"):
        index.load(tmp_path / index.NAME)
