"""The garbage collector, beside an import that makes much."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pytest_tfkernel._child import garbage


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)


def test_nothing_is_collected_meanwhile_and_as_before_afterwards(thresholds: tuple[int, int, int]) -> None:
    collected = []

    def note(phase: str, _: object) -> None:
        collected.append(phase)

    gc.callbacks.append(note)
    try:
        with garbage.uncollected():
            kept: list[list[int]] = [[] for _ in range(3 * thresholds[0])]
            assert collected == []
        assert gc.get_threshold() == thresholds
        kept += [[] for _ in range(3 * thresholds[0])]
        assert collected
    finally:
        gc.callbacks.remove(note)


def test_it_is_as_before_after_an_error(thresholds: tuple[int, int, int]) -> None:
    with pytest.raises(ImportError), garbage.uncollected():
        raise ImportError
    assert gc.get_threshold() == thresholds


def test_what_an_import_chooses_stays() -> None:
    with garbage.uncollected():
        gc.set_threshold(12_345, 6, 7)
    assert gc.get_threshold() == (12_345, 6, 7)


def test_what_is_frozen_is_never_looked_at_again() -> None:
    # In a process of its own, which nobody else shares.
    code = """
import gc
from pytest_tfkernel._child import garbage
kept = [[]]
kept[0].append(kept)
garbage.freeze()
assert gc.get_freeze_count() > 0
assert not any(one is kept for one in gc.get_objects())
"""
    subprocess.run([sys.executable, "-c", code], check=True)
