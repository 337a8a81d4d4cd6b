"""Patterns as people write them."""

from __future__ import annotations

import pytest

from pytest_tfkernel.model.patterns import pattern_of


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("a*", "abc", True),
        ("a*", "a\nb", True),
        ("*b", "abc", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        # All else is itself.
        ("test[1-2]", "test[1-2]", True),
        ("test[1-2]", "test1", False),
        ("a.c", "abc", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_stars_and_question_marks_mean_something_and_nothing_else_does(pattern: str, text: str, fits: bool) -> None:
    assert (pattern_of(pattern).fullmatch(text) is not None) is fits
