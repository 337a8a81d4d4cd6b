"""The same difference in forty trials is one entry."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_tfkernel.report.compare.differences import About, Change, Difference
from pytest_tfkernel.report.compare.groups import TITLES, Group, sections, shorten

LOST = Difference(
    Change.LOST, About.GUARANTEE, "process-is-new", "forkserver-a-sigkill-idle", None, "PASS", "FAIL", regression=True
)
SLOWER = Difference(Change.SLOWER, About.FIGURE, "death", kernel="tf2.21", before="1 s", after="2 s", percent=99.6)
TEST = Difference(Change.OUTCOME, About.TEST, "test_a.py::test_one", before="passed", after="skipped")


def at(one: Difference, place: str) -> Difference:
    return dataclasses.replace(one, place=place)


def groups(*differences: Difference) -> list[Group]:
    return [group for section in sections(differences) for group in section.groups]


def test_each_change_has_a_title() -> None:
    assert TITLES.keys() == set(Change)


def test_the_same_at_many_places_is_one_entry() -> None:
    assert groups(LOST, at(LOST, "b"), dataclasses.replace(LOST, name="another")) == [
        Group("process-is-new", "PASS", "FAIL", ("forkserver-a-sigkill-idle", "b")),
        Group("another", "PASS", "FAIL", ("forkserver-a-sigkill-idle",)),
    ]


def test_sections_are_in_the_order_of_what_is_worse_and_the_expected_last() -> None:
    fixed = dataclasses.replace(LOST, change=Change.FIXED, regression=False)
    unknown = dataclasses.replace(LOST, change=Change.UNKNOWN, regression=False)
    foreseen = dataclasses.replace(LOST, expected="a reason")
    found = list(sections([fixed, foreseen, unknown, dataclasses.replace(unknown, regression=True), LOST]))
    assert [(one.title, one.regression) for one in found] == [
        (TITLES[Change.LOST], True),
        (TITLES[Change.UNKNOWN], True),
        (TITLES[Change.UNKNOWN], False),
        (TITLES[Change.FIXED], False),
        ("Expected", False),
    ]
    # Each stands in one section.
    assert [len(one.groups) for one in found] == [1] * 5
    assert found[-1].groups[0].reason == "lost: a reason"


def test_of_what_is_missing_or_new_there_is_no_before_and_after() -> None:
    (found,) = groups(dataclasses.replace(LOST, change=Change.MISSING))
    assert (found.before, found.after) == ("", "")


def test_a_figure_says_by_how_much_and_of_which_kernel() -> None:
    another = dataclasses.replace(SLOWER, kernel="tf1.15")
    assert groups(SLOWER, another) == [
        Group("death on tf2.21", "1 s", "2 s (+100 %)", ()),
        Group("death on tf1.15", "1 s", "2 s (+100 %)", ()),
    ]


def test_of_a_single_test_the_entry_is_its_name() -> None:
    assert groups(TEST) == [Group("test_a.py::test_one", "passed", "skipped", ())]
    other = dataclasses.replace(TEST, name="test_a.py::test_two")
    assert groups(TEST, other) == [
        Group("your tests", "passed", "skipped", ("test_a.py::test_one", "test_a.py::test_two"))
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\n  two", "one two"),
        ("x" * 300, "x" * 300),
        ("x" * 301, f"{'x' * 300}... (301 characters)"),
        ("a\x1b[0m", "a\\x1b[0m"),
    ],
)
def test_a_text_is_one_line_that_fits(text: str, shown: str) -> None:
    assert shorten(text) == shown
