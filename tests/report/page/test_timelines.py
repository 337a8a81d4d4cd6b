"""Time lines: what is drawn, and that it is small."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

import documents
from documents import moment
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.page import svg
from pytest_tfkernel.report.page.timelines import Timelines, spread


@pytest.fixture(autouse=True)
def drawing() -> Iterator[None]:
    with svg.settings():
        yield


def test_picture_has_each_mark_once_and_each_track_that_is_known() -> None:
    picture = Timelines().draw(documents.trial(documents.setting(0, "tf")).timeline)
    assert re.findall(r'class="moment (\w+)"', picture) == [
        "started", "cell", "fault", "death", "noticed", "settled", "restarted", "rebuilt"
    ]  # fmt: skip
    assert re.findall(r'class="title"[^>]*>(\w+),', picture) == ["memory", "threads", "handles"]
    assert len(picture) < 3_500
    assert "style=" not in picture


def test_there_is_no_line_where_nothing_is_known() -> None:
    moments = [
        moment("started", 1, 10),
        moment("cell", 2, 20),
        moment("death", 3),
        moment("restarted", 4, 10),
        moment("rebuilt", 5, 20),
    ]
    track = re.search(r'class="track" d="([^"]*)"', Timelines().draw(moments))
    assert track is not None
    assert track[1].count("M") == 2


def test_pictures_do_not_see_each_other() -> None:
    drawer = Timelines()
    moments = [moment("started", 1, 10), moment("fault", 2, 20), moment("rebuilt", 3, 20)]
    first = drawer.draw(moments)
    drawer.draw([moment("started", 1, 10), moment("cell", 9, 99)])
    assert drawer.draw(moments) == first


@pytest.mark.parametrize(
    "timeline",
    [
        [],
        [moment("started", 1, 10)],
        [moment("started", 0, 10), moment("cell", 0, 10)],
    ],
)
def test_without_time_there_is_no_picture(timeline: list[parts.Moment]) -> None:
    assert Timelines().draw(timeline) == ""


@pytest.mark.parametrize(
    "timeline",
    [
        [moment("started", 1), moment("cell", 2)],
        [moment("started", 1, 0), moment("cell", 2, 0)],
        [moment("started", -1, 1), moment("cell", 1e9, 1 << 62)],
        [moment("cell", n / 10, n, n) for n in range(200)],
        [
            moment(name, 5.0, 1)
            for name in ("rebuilt", "death", "fault", "noticed", "started", "cell", "settled", "restarted")
        ],
    ],
)
def test_odd_time_lines_are_drawn(timeline: list[parts.Moment]) -> None:
    assert Timelines().draw(timeline).startswith("<svg")


@pytest.mark.parametrize("places", [[], [5.0], [0.0, 0.1, 0.2], [1.0, 50.0, 99.0, 99.5, 100.0], [98.0, 99.0, 100.0]])
def test_labels_keep_their_distance_and_their_order(places: list[float]) -> None:
    moved = spread(places, 10, 0, 100)
    assert all(second - first >= 10 for first, second in itertools.pairwise(moved))
    assert all(0 <= place <= 100 for place in moved)
