"""Medians of many runs."""

from __future__ import annotations

import msgspec
import pytest

import documents
from documents import moment
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.figures import Spread
from pytest_tfkernel.report.history.trends import Medians, Trend, amount

LABEL = "tf2.21.0-py3.11"


def trends(*runs: parts.Document) -> dict[str, Trend]:
    measured = Medians()
    for column, run in enumerate(runs):
        measured.add(run, {LABEL: column})
    return {one.title: one for one in measured.trends(len(runs))}


def of(*seconds: float) -> parts.Document:
    """A run with a restart of each of these lengths."""
    run = documents.document(len(seconds), tests=0)
    timelines = [
        [moment("death", 1), moment("noticed", 1.5), moment("restarted", 1.5 + one, 7 << 20, 9 << 20)]
        for one in seconds
    ]
    trials = [msgspec.structs.replace(one, timeline=of) for one, of in zip(run.trials, timelines, strict=True)]
    return msgspec.structs.replace(run, trials=trials)


def test_each_run_has_its_median_and_spread_of_what_it_measured() -> None:
    found = trends(of(1, 2, 6), of(), of(3))
    restart = found["restart, forkserver"]
    assert restart.spreads == (Spread(2.0, 1.0, 3), None, Spread(3.0, 0.0, 1))
    assert restart.ends == (2.0, 3.0)
    assert found["death to post-mortem, forkserver"].spreads[0] == Spread(0.5, 0.0, 3)
    assert found["most memory, forkserver"].spreads[2] == Spread(7 << 20, 0, 1)
    assert found["most GPU memory, forkserver"].spreads[2] == Spread(9 << 20, 0, 1)
    assert list(found)[:2] == ["restart, forkserver", "death to post-mortem, forkserver"]


def test_own_tests_are_measured_unless_they_were_skipped() -> None:
    process = parts.IsolatedProcess(how="forked", peak_memory=5 << 20)
    run = documents.with_test(documents.document(0), 0, outcome="skipped", seconds=9.0)
    found = trends(documents.with_test(run, 1, seconds=0.3, process=process))
    (seconds,) = found["seconds of one, your tests"].known
    assert seconds.median == pytest.approx(0.2)
    assert seconds.count == 2
    assert found["most memory, your tests"].spreads == (Spread(5 << 20, 0, 1),)


def test_what_could_not_be_played_is_not_measured() -> None:
    run = documents.with_trial(of(1, 2), 0, impossible="no cgroup")
    assert trends(run)["restart, forkserver"].spreads == (Spread(2.0, 0.0, 1),)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.0, "s", "0 s"),
        (0.00042, "s", "420 us"),
        (0.0241, "s", "24.1 ms"),
        (2.345, "s", "2.35 s"),
        (0.0, "bytes", "0 B"),
        (512 << 20, "bytes", "512 MiB"),
        (1010 << 20, "bytes", "1010 MiB"),
        (3 << 30, "bytes", "3.0 GiB"),
    ],
)
def test_amounts_are_in_units_that_people_read(value: float, unit: str, words: str) -> None:
    assert amount(value, unit) == words
