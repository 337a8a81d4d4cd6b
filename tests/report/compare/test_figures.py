from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.compare.differences import Change, Difference
from pytest_tfkernel.report.compare.figures import ComparedFigure, Spread, differences, figures
from pytest_tfkernel.report.compare.pairs import Side, pair

MIB = 1 << 20


def both(ref: parts.Document, changed: parts.Document) -> dict[str, ComparedFigure]:
    found = figures(pair(Side("ref", ref), Side("changed", changed)))
    return {f"{one.group}: {one.name}": one for one in found}


def lasting(seconds: Sequence[float], gpu_memory: Sequence[int] = ()) -> parts.Document:
    """A run whose trials take so long from death to notice, and hold so much of a GPU then."""
    document = documents.document(count=len(seconds))
    for number, each in enumerate(seconds):
        held = gpu_memory[number] if gpu_memory else None
        timeline = [
            parts.Moment(name="death", seconds=1.0),
            parts.Moment(name="noticed", seconds=1.0 + each, gpu_memory=held),
        ]
        document = documents.with_trial(document, number, timeline=timeline)
    return document


def noticed(ref: Sequence[float], changed: Sequence[float]) -> list[Change]:
    found = both(lasting(ref), lasting(changed))
    return [one.change for one in differences([found["forkserver: death to noticed"]])]


def test_a_spread_is_the_median_and_its_absolute_deviation() -> None:
    assert Spread.of([1.0, 2.0, 3.0, 4.0, 100.0]) == Spread(3.0, 1.0, 5)


def test_figures_are_of_a_provisioner() -> None:
    found = both(documents.document(), documents.document())
    assert list(found)[:3] == ["forkserver: whole trial", "forkserver: started to cell", "forkserver: cell to fault"]
    assert {"forkserver: memory at rebuilt", "forkserver: most memory", "your tests: seconds of one"} < set(found)
    assert found["forkserver: restarted to rebuilt"].ref.median == pytest.approx(0.05)
    assert found["forkserver: memory at started"].ref == Spread(100.0 * MIB, 0.0, 6)
    assert not any(one.is_beyond_spread for one in found.values())


def test_slower_and_faster_are_beyond_the_spread_of_both() -> None:
    assert noticed([0.10, 0.11, 0.12], [0.20, 0.21, 0.22]) == [Change.SLOWER]
    assert noticed([0.20, 0.21, 0.22], [0.10, 0.11, 0.12]) == [Change.FASTER]
    assert noticed([0.10, 0.20, 0.30], [0.20, 0.30, 0.40]) == []


def test_less_than_a_millisecond_is_nothing() -> None:
    assert noticed([0.0001] * 3, [0.0009] * 3) == []


@pytest.mark.parametrize(("more", "found"), [(MIB, []), (MIB + 1, [Change.MEMORY])])
def test_a_mebibyte_is_nothing(more: int, found: list[Change]) -> None:
    figures = both(lasting([1.0] * 3, [100 * MIB] * 3), lasting([1.0] * 3, [100 * MIB + more] * 3))
    assert [one.change for one in differences(figures.values())] == found


@pytest.mark.parametrize(("after", "found"), [(0.375, []), (0.3751, [Change.SLOWER])])
def test_what_the_spreads_of_both_reach_is_nothing(after: float, found: list[Change]) -> None:
    # Both have a deviation of 1/16.
    ref = Spread(0.25, 0.0625, 3)
    one = ComparedFigure(None, "g", "n", "s", ref, Spread(after, 0.0625, 3))
    assert [difference.change for difference in differences([one])] == found


def test_two_trials_tell_nothing() -> None:
    assert noticed([0.1, 0.1], [9.0, 9.0]) == []


def test_memory_has_changes_of_its_own() -> None:
    found = both(lasting([1.0] * 3, [100 * MIB] * 3), lasting([1.0] * 3, [150 * MIB] * 3))
    (one,) = differences(found.values())
    assert (one.change, one.name, one.before, one.after) == (
        Change.MEMORY,
        "forkserver: GPU memory at noticed",
        "100.0 MiB +- 0.0",
        "150.0 MiB +- 0.0",
    )
    assert one.percent == pytest.approx(50)
    found = both(lasting([1.0] * 3, [100 * MIB] * 3), lasting([1.0] * 3, [50 * MIB] * 3))
    assert [one.change for one in differences(found.values())] == [Change.LESS_MEMORY]


def test_only_what_both_ran_counts() -> None:
    ref = lasting([0.1, 0.1, 0.1, 5.0, 5.0, 5.0, 5.0])
    changed = lasting([0.1, 0.1, 0.1])
    spread = both(ref, changed)["forkserver: death to noticed"].ref
    assert spread.median == pytest.approx(0.1)
    assert spread.count == 3


@pytest.mark.parametrize("number", [0, 2])
def test_what_could_not_be_produced_does_not_count(number: int) -> None:
    changed = documents.with_trial(lasting([0.1] * 3), number, impossible="no cgroup")
    assert both(lasting([0.1] * 3), changed)["forkserver: death to noticed"].changed.count == 2


def test_what_only_one_run_measured_is_no_figure() -> None:
    ref, changed = lasting([1.0] * 3, [MIB] * 3), lasting([1.0] * 3)
    assert "forkserver: GPU memory at noticed" not in both(ref, changed)


def test_skipped_tests_take_no_time() -> None:
    ref = documents.document()
    changed = documents.with_test(ref, 0, outcome="skipped", seconds=0.0)
    assert both(ref, changed)["your tests: seconds of one"].changed.count == 2


def test_several_kernels_have_figures_of_their_own() -> None:
    ref = documents.of_kernels("2.20.0", "2.21.0", count=3)
    for number in range(3, 6):
        ref = documents.with_trial(ref, number, seconds=1.0)
    changed = msgspec.structs.replace(ref, trials=[msgspec.structs.replace(one, seconds=2.0) for one in ref.trials])
    found = figures(pair(Side("ref", ref), Side("changed", changed)))
    medians = {one.kernel: (one.ref.median, one.changed.median) for one in found if one.name == "whole trial"}
    assert medians == {"tf2.20.0-py3.11": (0.4, 2.0), "tf2.21.0-py3.11": (1.0, 2.0)}
    assert all(isinstance(one, Difference) and one.kernel for one in differences(found))


@pytest.mark.parametrize(
    ("unit", "spread", "shown"),
    [
        ("s", Spread(0.052, 0.003, 3), "0.052 s +- 0.003"),
        ("bytes", Spread(100.0 * MIB, 2.5 * MIB, 3), "100.0 MiB +- 2.5"),
    ],
)
def test_a_median_is_told_with_its_deviation(unit: str, spread: Spread, shown: str) -> None:
    assert ComparedFigure(None, "g", "n", unit, spread, spread).words(spread) == shown


def test_more_than_nothing_has_no_percentage() -> None:
    nothing, something = Spread(0.0, 0.0, 3), Spread(1.0, 0.0, 3)
    assert ComparedFigure("", "g", "n", "s", nothing, something).percent is None
    assert ComparedFigure("", "g", "n", "s", nothing, nothing).percent == 0.0
