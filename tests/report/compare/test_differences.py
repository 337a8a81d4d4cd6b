"""What one difference is about."""

from __future__ import annotations

import pytest

from pytest_tfkernel.report.compare.differences import BEHAVIOURS, About, Change, Difference


@pytest.mark.parametrize(
    ("place", "kernel", "where"),
    [("", None, "name"), ("a-trial", None, "a-trial"), ("a-trial", "tf2.21", "a-trial on tf2.21")],
)
def test_where_it_is_a_person_can_look_for(place: str, kernel: str | None, where: str) -> None:
    assert Difference(Change.LOST, About.GUARANTEE, "name", place, kernel).where == where


def test_a_behaviour_is_neither_better_nor_worse() -> None:
    # They are words of options and of files of expectations, so none may change.
    assert sorted(one.value for one in BEHAVIOURS) == [
        "error",
        "exit",
        "fact",
        "known",
        "leak",
        "message",
        "outcome",
        "result",
    ]
