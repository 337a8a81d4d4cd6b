"""How many of 100 plantings have a leak that the audit doesn't find, and how long planting and finding take."""

from __future__ import annotations

import collections

from benchmarks.figure import Figure, spread
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.trials.plants import harvest

_TRIES = 100
_MOST_SECONDS = 2.0


def measure(_python: str) -> list[Figure]:
    """One leak of each kind, planted again and again."""
    missed: collections.Counter[str] = collections.Counter()
    tries, seconds = 0, []
    with Launcher() as launcher:
        for _number in range(_TRIES):
            seen = harvest(launcher, KernelSpec())
            missed.update([seen.error] if seen.error else [kind.value for kind in seen.missed])
            tries += bool(seen.missed or seen.error or seen.blind)
            seconds.append(seen.seconds)
    kinds = ", ".join(f"{kind} {number}" for kind, number in missed.items())
    return [
        Figure(f"{_TRIES} plantings: with a leak that was not found", tries, 0, "", kinds),
        Figure("planting and finding, the longest", max(seconds), _MOST_SECONDS, "s", spread(seconds, unit=" s")),
    ]
