"""A check of a card says what was seen, and UNKNOWN where nobody could look."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from pytest_tfkernel.gpu_report.bench import Bench
from pytest_tfkernel.gpu_report.checks import Check
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.gpus import GpuProcess
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.trials.cells import CellFailedError


def bench(*processes: GpuProcess) -> Bench:
    return cast("Bench", SimpleNamespace(now=lambda: SimpleNamespace(processes=processes)))


def raising(error: Exception) -> Callable[[Bench], Verdict]:
    def look(_: Bench) -> Verdict:
        raise error

    return look


def test_what_was_seen_is_the_verdict() -> None:
    assert Check("a", lambda _: Verdict.failed("no")).play(bench()) == Verdict.failed("no")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CellFailedError("it died\nof much"), "it died"),
        (KernelStartError("no"), "no"),
        (CellFailedError(), "CellFailedError"),
    ],
)
def test_what_could_not_be_looked_at_is_unknown_in_a_line(error: Exception, reason: str) -> None:
    assert Check("a", raising(error)).play(bench()) == Verdict.unknown(reason)


def test_an_error_of_our_own_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        Check("a", raising(ZeroDivisionError())).play(bench())


@pytest.mark.parametrize(("harm", "plays"), [("oom-gpu", False), ("", True)])
def test_what_harms_others_is_not_played_where_there_are_any(harm: str, plays: bool) -> None:
    verdict = Check("a", lambda _: Verdict.passed(), harm).play(bench(GpuProcess(7, 1), GpuProcess(8, 1)))
    words = "it may harm others, and processes that aren't ours use the GPU: 7, 8"
    assert verdict == (Verdict.passed() if plays else Verdict.unknown(words))
    assert Check("a", lambda _: Verdict.passed(), harm).play(bench()) == Verdict.passed()
