"""Two documents compared, in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from pytest_tfkernel.report.compare.comparison import Comparison, compare
from pytest_tfkernel.report.compare.expectations import Expectation, Expectations
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.report.compare.thresholds import Thresholds
from pytest_tfkernel.report.document import Document

Compare = Callable[..., Comparison]


@pytest.fixture
def compared() -> Compare:
    """Compare them as the command does."""

    def compare_two(
        ref: Document, changed: Document, fail_on: Sequence[str] = (), known: Sequence[Expectation] = ()
    ) -> Comparison:
        sides = (Side("ref.json", ref), Side("changed.json", changed))
        return compare(*sides, Thresholds.of(fail_on), Expectations(known))

    return compare_two
