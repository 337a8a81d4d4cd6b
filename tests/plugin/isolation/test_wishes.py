"""The marker `tfkernel_isolated`: the nearest one counts, and nonsense is one line."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pytest_tfkernel.plugin.isolation import wishes
from pytest_tfkernel.plugin.isolation.wishes import IsolationWishes


class Marked:
    def __init__(self, *marks: pytest.MarkDecorator) -> None:
        self._marks = marks

    def iter_markers(self, name: str) -> list[pytest.Mark]:
        assert name == "tfkernel_isolated"
        return [one.mark for one in self._marks]


def of(*marks: pytest.MarkDecorator, per: str = "file") -> IsolationWishes | None:
    return wishes.of(cast("Any", Marked(*marks)), per)


def test_without_a_marker_tests_share_a_process_as_the_session_says() -> None:
    assert of(per="test") == IsolationWishes(per="test")
    assert of(per="off") is None
    assert of(pytest.mark.tfkernel_isolated(), per="off") == IsolationWishes(per="file")


def test_the_nearest_marker_comes_first() -> None:
    near = pytest.mark.tfkernel_isolated(memory="1.5GiB", per="test")
    far = pytest.mark.tfkernel_isolated(memory=1, env={"B": "2", "A": "1"}, logical_devices={"CPU": 2}, cold=True)
    found = of(near, far)
    assert found == IsolationWishes(
        per="test", memory=3 << 29, env=(("A", "1"), ("B", "2")), logical_devices=(("CPU", 2),), cold=True
    )
    hash(found)


@pytest.mark.parametrize(
    "given",
    [
        {"timout": 3},
        {"per": "session"},
        {"memory": "much"},
        {"memory": 0},
        {"memory": True},
        {"memory": "0.1"},
        {"by": "magic"},
        {"processes": 0},
        {"processes": 1.5},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"timeout": "3"},
        {"env": ["A"]},
        {"env": {"A": 1}},
        {"env": {"A=B": "1"}},
        {"env": {"A": "\0"}},
        {"env": {"": ""}},
        {"env": {"A": "\ud800"}},
        {"logical_devices": {"CPU": 0}},
        {"logical_devices": 2},
        {"preload": "tensorflow"},
        {"preload": (3,)},
        {"preload": 3},
        {"cold": 1},
        {"logical_devices": {"CPU": 10**9}},
        {"memory": type("Unprintable", (), {"__repr__": lambda _: 1 / 0})()},
        {"per": "several\nlines" * 1000},
        {"cold": 10**5000},
    ],
    ids=lambda given: next(iter(given)),
)
def test_nonsense_is_one_line_that_names_it(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="the marker tfkernel_isolated") as caught:
        of(pytest.mark.tfkernel_isolated(**given))
    assert "\n" not in str(caught.value)
    assert next(iter(given)) in str(caught.value)


def test_all_is_given_by_name() -> None:
    with pytest.raises(ValueError, match="takes no 3: give by name some of per, memory"):
        of(pytest.mark.tfkernel_isolated(3))


def test_more_than_there_can_be_is_as_much_as_there_is() -> None:
    found = of(pytest.mark.tfkernel_isolated(memory=10**30, timeout=1e300))
    assert found is not None
    assert (found.memory, found.timeout) == (1 << 60, 1e9)
