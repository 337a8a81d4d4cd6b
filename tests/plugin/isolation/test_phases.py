"""What a phase prints is there after a death, and never more than there is room for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pytest_tfkernel.plugin.isolation import phases
from pytest_tfkernel.plugin.isolation.phases import PhaseOutput


@pytest.fixture
def phase() -> Iterator[PhaseOutput]:
    phase = PhaseOutput("stdout")
    yield phase
    phase.close()


def test_all_of_it_is_shown(phase: PhaseOutput) -> None:
    os.write(phase.owned.number, b"words \xff")
    assert phase.read() == "words \\xff"


def test_of_much_the_end_is_shown(phase: PhaseOutput) -> None:
    os.write(phase.owned.number, b"a" * 100_000 + b"end")
    first, _, text = phase.read().partition("\n")
    assert first == "(34467 bytes were cut)"
    assert text.endswith("aend")


def test_after_it_was_emptied_its_writers_go_on_at_its_beginning(phase: PhaseOutput) -> None:
    other = os.dup(phase.owned.number)
    os.write(other, b"of the phase before")
    os.ftruncate(phase.owned.number, 0)
    os.write(other, b"words")
    os.close(other)
    assert phase.read() == "words"


def test_what_is_too_long_is_cut_while_it_is_written(phase: PhaseOutput, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "MOST_BYTES", 100)
    os.write(phase.owned.number, b"x" * 100)
    phase.bound()
    assert os.fstat(phase.owned.number).st_size == 100
    os.write(phase.owned.number, b"y")
    phase.bound()
    assert os.fstat(phase.owned.number).st_size == 0
    os.write(phase.owned.number, b"more")
    assert phase.read() == "(101 bytes were cut)\n" + "x" * 100 + "ymore"
    assert phase.cut() == (0, "")


def test_what_was_cut_is_told_once(phase: PhaseOutput, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "MOST_BYTES", 1)
    for _ in range(2):
        os.write(phase.owned.number, b"words")
        phase.bound()
    assert phase.cut() == (10, "words")
    assert phase.cut() == (0, "")


def test_a_descriptor_that_somebody_has_closed_is_let_alone(phase: PhaseOutput) -> None:
    os.close(phase.owned.number)
    other = os.open("/dev/null", os.O_RDONLY)
    os.dup2(other, phase.owned.number)
    phase.bound()
    assert phase.read() == ""
    phase.close()
    os.fstat(phase.owned.number)
    os.close(phase.owned.number)
    if other != phase.owned.number:
        os.close(other)
