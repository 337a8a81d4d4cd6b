"""What a benchmark returns."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number and the most that it may be, both in `unit`.

    `measured` is None when it could not be measured; then `detail` says why.
    """

    name: str
    measured: float | None
    target: float
    unit: str
    detail: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `missed` or `not measured`."""
        if self.measured is None:
            return "not measured"
        return "met" if self.measured <= self.target else "missed"


def spread(values: Sequence[float], scale: float = 1.0, unit: str = "") -> str:
    """Median, the middle half, smallest and largest: `median 6.1 ms (5.9 to 6.4, all 5.5 to 9.0)`."""
    first, middle, third = (quartile * scale for quartile in statistics.quantiles(values, n=4))
    least, most = min(values) * scale, max(values) * scale
    shown = [number(value) for value in (middle, first, third, least, most)]
    return f"median {shown[0]}{unit} ({shown[1]} to {shown[2]}, all {shown[3]} to {shown[4]})"


def number(value: float) -> str:
    """Three significant digits, and all of those before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004
