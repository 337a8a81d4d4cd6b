"""A report that is too long keeps its outcome, and the end of each part."""

from __future__ import annotations

import pytest

from pytest_tfkernel.plugin.isolation.inside import size

MUCH = "x" * (1 << 20) + "the end"


def test_what_was_printed_goes_first() -> None:
    report = pytest.TestReport("a", ("a", 1, "a"), {}, "failed", MUCH, "call", [("short", "s"), ("long", MUCH)])
    size.cut_output(report)
    short, (name, text) = report.sections
    assert short == ("short", "s")
    assert name == "long"
    assert text.startswith("(7 characters before this were cut)\n")
    assert text.endswith("the end")
    assert report.longrepr == MUCH
    assert report.outcome == "failed"


def test_then_all_else() -> None:
    report = pytest.TestReport("a", ("a", 1, "a"), {}, "failed", MUCH, "call", user_properties=[("a", MUCH), ("b", 3)])
    size.cut_all(report)
    assert str(report.longrepr).endswith("the end")
    assert len(str(report.longrepr)) < len(MUCH) + 40
    assert [name for name, _ in report.user_properties] == ["a", "b"]
    assert str(report.user_properties[0][1]).startswith("(7 characters")


def test_why_a_test_was_skipped_stays_what_it_is() -> None:
    report = pytest.TestReport("a", ("a", 1, "a"), {}, "skipped", ("a.py", 1, MUCH), "call")
    size.cut_all(report)
    assert report.longrepr == ("a.py", 1, MUCH)
