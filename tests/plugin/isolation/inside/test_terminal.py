"""What is written on the terminal of a process is told, or captured as everything else."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation.inside.terminal import Distant, Wire


@pytest.mark.parametrize("is_captured", [False, True])
def test_it_is_told_unless_it_is_captured(is_captured: bool, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[dict[str, Any]] = []
    reporter = SimpleNamespace(_tw=SimpleNamespace(_file=None), name="of the reporter")
    distant = Distant(reporter, told.append, lambda: is_captured)
    reporter._tw._file.write("words\n")
    reporter._tw._file.flush()
    distant.ensure_newline()
    sys.__stdout__.flush()  # type: ignore[union-attr]
    texts = [one["text"] for one in told]
    assert texts == ([] if is_captured else ["words\n", None])
    assert capfd.readouterr().out == ("words\n" if is_captured else "")
    assert distant.name == "of the reporter"


def test_nothing_is_told_of_nothing() -> None:
    told: list[dict[str, Any]] = []
    file = Wire(told.append, lambda: False)
    assert file.write("") == 0
    assert told == []
    assert not file.isatty()
