"""Differences put together: what is one entry, and what it is called."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tfkernel.report.compare.differences import About, Change, Difference
from pytest_tfkernel.report.compare.groups import TITLES, Section, sections, shorten


def of_trial(place: str = "a", **more: Any) -> Difference:
    fields = {"before": "none", "after": "KeyError", **more}
    return Difference(Change.ERROR, About.TRIAL, "", place, **fields)


def of_test(name: str, **more: Any) -> Difference:
    fields = {"before": "none", "after": "KeyError", **more}
    return Difference(Change.ERROR, About.TEST, name, **fields)


def only(*differences: Difference) -> Section:
    (section,) = sections(differences)
    return section


def test_each_change_has_a_title() -> None:
    assert set(TITLES) == set(Change)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\n  lines", "two lines"),
        ("a" * 300, "a" * 300),
        ("a" * 301, f"{'a' * 300}... (301 characters)"),
        ("\x1b" * 301, "\\x1b" * 300 + "... (301 characters)"),
    ],
    ids=["lines", "fits", "too long", "escapes"],
)
def test_an_entry_has_one_line_of_so_many_characters(text: str, shown: str) -> None:
    assert shorten(text) == shown


def test_the_same_in_several_trials_is_one_entry() -> None:
    (group,) = only(of_trial("a"), of_trial("b")).groups
    assert (group.what, group.before, group.after, group.places) == ("trials", "none", "KeyError", ("a", "b"))
    assert len(only(of_trial("a"), of_trial("b", after="IndexError")).groups) == 2


def test_one_test_has_its_name_and_several_are_your_tests() -> None:
    (one,) = only(of_test("test_a")).groups
    assert (one.what, one.places) == ("test_a", ())
    (two,) = only(of_test("test_a"), of_test("test_b")).groups
    assert (two.what, two.places) == ("your tests", ("test_a", "test_b"))


def test_what_makes_it_worse_comes_first_and_apart() -> None:
    fine, bad = of_trial("a"), of_trial("b", regression=True)
    assert [(one.regression, one.groups[0].places) for one in sections([fine, bad])] == [
        (True, ("b",)),
        (False, ("a",)),
    ]


def test_what_was_expected_is_no_regression_and_has_its_reason() -> None:
    section = only(of_trial(expected="since 2.21"), of_trial("b", expected="on b"))
    assert (section.title, section.regression) == ("Expected", False)
    assert [one.reason for one in section.groups] == ["error: since 2.21", "error: on b"]


@pytest.mark.parametrize("change", [Change.MISSING, Change.NEW])
def test_what_one_run_does_not_have_has_no_before_and_after(change: Change) -> None:
    found = [
        Difference(change, About.GUARANTEE, name, place, None, before, "not run")
        for name, place, before in (("one", "a", "PASS"), ("one", "b", "FAIL: why"), ("two", "a", "PASS"))
    ]
    groups = only(*found).groups
    assert [(one.what, one.before, one.after, one.places) for one in groups] == [
        ("one", "", "", ("a", "b")),
        ("two", "", "", ("a",)),
    ]


@pytest.mark.parametrize(("percent", "after"), [(49.6, "0.5 s (+50 %)"), (-3.0, "0.5 s (-3 %)"), (None, "0.5 s")])
def test_a_median_has_its_percentage(percent: float | None, after: str) -> None:
    one = Difference(Change.SLOWER, About.FIGURE, "whole trial", "", "tf", "0.4 s", "0.5 s", percent)
    (group,) = only(one).groups
    assert (group.what, group.after, group.places) == ("whole trial on tf", after, ())


def test_a_median_of_each_kernel_is_an_entry() -> None:
    found = [Difference(Change.SLOWER, About.FIGURE, "whole trial", "", kernel) for kernel in ("a", "b")]
    assert [one.what for one in only(*found).groups] == ["whole trial on a", "whole trial on b"]


def test_the_same_end_of_tests_that_began_otherwise_is_another_entry() -> None:
    assert len(only(of_test("test_a"), of_test("test_b", before="ValueError")).groups) == 2
