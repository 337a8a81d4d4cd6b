"""Pictures of medians."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_tfkernel.report.compare.figures import Spread
from pytest_tfkernel.report.history.runs import RunColumn
from pytest_tfkernel.report.history.trends import Trend
from pytest_tfkernel.report.page import svg

if TYPE_CHECKING:
    from pytest_tfkernel.report.history.plots import TrendPlot


def plots(trends: list[Trend], columns: list[RunColumn]) -> Iterator[TrendPlot]:
    # It imports matplotlib, which no process that only collects tests wants.
    from pytest_tfkernel.report.history.plots import plots as drawn

    return drawn(trends, columns)


@pytest.fixture(autouse=True)
def drawing() -> Iterator[None]:
    with svg.settings():
        yield


def runs(*versions: str) -> list[RunColumn]:
    return [RunColumn(f"{day}.json", f"2026-01-{day:02}", "", one, "") for day, one in enumerate(versions, 1)]


def draw(*medians: float | None, versions: tuple[str, ...] = (), unit: str = "s", deviation: float = 0.1) -> str:
    spreads = tuple(None if one is None else Spread(one, deviation, 3) for one in medians)
    (plot,) = plots([Trend("restart", "forkserver", unit, spreads)], runs(*(versions or ("2.21",) * len(medians))))
    return str(plot.picture)


def paths(picture: str, kind: str) -> list[str]:
    return re.findall(rf'<path class="{kind}" d="([^"]*)"', picture)


def test_a_line_has_a_point_for_each_run_and_a_gap_where_nothing_was_measured() -> None:
    (line,) = paths(draw(1, 2, None, 3, 2), "track")
    assert line.count("M") == 2
    (band,) = paths(draw(1, 2, None, 3, 2), "half band")
    assert band.count("M") == 2
    (dots,) = paths(draw(1, 2, None, 3, 2), "dots")
    assert dots.count("M") == 4


def test_where_versions_change_there_is_a_line_down_with_their_name() -> None:
    picture = draw(*range(1, 9), versions=("2.20.0, Python 3.11",) * 4 + ("2.21.0, Python 3.11",) * 4)
    assert len(paths(picture, "moment")) == 1
    assert ">2.20.0<" in picture
    assert ">2.21.0<" in picture


def test_names_that_would_run_into_each_other_are_left_out() -> None:
    picture = draw(*range(1, 101), versions=tuple(f"2.{number}" for number in range(100)))
    assert len(paths(picture, "moment")) == 99
    assert 5 < picture.count('class="name"') < 10


@pytest.mark.parametrize(
    "medians", [(0.0, 0.0), (1e-9, 1e9), (5.0,) * 200, (-1.0, 1.0), (3e9, 4e9)], ids=lambda medians: str(medians[:2])
)
@pytest.mark.parametrize("unit", ["s", "bytes"])
def test_any_medians_are_drawn(medians: tuple[float, ...], unit: str) -> None:
    picture = draw(*medians, unit=unit, deviation=0.0)
    assert paths(picture, "track")
    assert "nan" not in picture
    assert "inf" not in picture


def test_one_run_is_no_line() -> None:
    assert list(plots([Trend("restart", "forkserver", "s", (Spread(1, 0, 3), None))], runs("a", "b"))) == []
