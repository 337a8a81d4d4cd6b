"""What is noted of a trial is in its record."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import pytest

from pytest_tfkernel.trials.recorder import Recorder


@dataclass(frozen=True)
class Record:
    first: int
    second: str = "none"


def test_what_is_noted_is_there_and_all_else_has_its_default() -> None:
    notes = Recorder(Record)
    notes.note(first=1)
    assert notes.freeze() == Record(1)


def test_what_is_noted_again_is_replaced() -> None:
    notes = Recorder(functools.partial(Record, 1))
    notes.note(second="a")
    early = notes.freeze()
    notes.note(second="b")
    assert (early, notes.freeze()) == (Record(1, "a"), Record(1, "b"))


def test_what_no_record_has_is_refused() -> None:
    notes = Recorder(functools.partial(Record, 1))
    notes.note(third=1)
    with pytest.raises(TypeError, match="third"):
        notes.freeze()


def test_what_a_record_must_have_must_be_noted() -> None:
    with pytest.raises(TypeError, match="first"):
        Recorder(Record).freeze()
