"""How much of the suite a run plays."""

from __future__ import annotations

from pytest_tfkernel.plugin import options
from pytest_tfkernel.suite.sizes import FULL, SIZES, SMOKE, STANDARD


def test_sizes_are_told_from_the_smallest_and_are_those_of_the_option() -> None:
    assert (SMOKE, STANDARD, FULL) == SIZES == options.SIZES
