"""Versions as TensorFlow writes them."""

from __future__ import annotations

import pytest

from pytest_tfkernel.suite.guarantees.versions import is_since


@pytest.mark.parametrize(
    ("version", "is_it"),
    [
        ("2.15.0", True),
        ("2.15.1", True),
        ("2.16.0", True),
        ("3.0.0", True),
        ("2.14.9", False),
        ("1.15.5", False),
        # No text is compared: 9 is less than 15.
        ("2.9.3", False),
        ("2.22.0-dev20260101", True),
        ("2.15", True),
        ("2", None),
        ("2.x", None),
        ("x.15", None),
        ("", None),
        (None, None),
    ],
)
def test_a_version_is_compared_by_its_first_two_numbers(version: str | None, is_it: bool | None) -> None:
    assert is_since(version, (2, 15)) is is_it
