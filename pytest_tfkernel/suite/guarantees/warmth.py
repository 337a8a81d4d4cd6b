"""What a fork may change: only what is documented."""

from __future__ import annotations

import itertools
from typing import Any

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.portrait import DIFFERENCES
from pytest_tfkernel.suite.scenarios.warmth import NAME, Portraits

_MODULES_OF_OURS = {f"_tfkernel_child.{name}" for name in ("forkserver", "forking", "garbage", "imports")}


@guarantee(
    NAME,
    where=f"the trial of `{NAME}`",
    applies=has_example_of(NAME),
    control="shows_that_it_is_warm",
)
def warm_equals_cold(seen: Facts[Portraits]) -> Verdict:
    """A forked kernel shows what a fresh interpreter shows, but for the documented differences."""
    if seen.error:
        return Verdict.unknown(seen.error)
    warm, cold = seen.facts.forkserver, seen.facts.subprocess
    if warm.keys() != cold.keys():
        return Verdict.unknown(f"different things were looked at: {sorted(warm.keys() ^ cold.keys())}")
    different = [name for name in warm if name not in DIFFERENCES and warm[name] != cold[name]]
    if different:
        return Verdict.failed("; ".join(_difference(name, warm[name], cold[name]) for name in different))
    if cold["modules"] or not set(warm["modules"]) <= _MODULES_OF_OURS:
        return Verdict.failed(f"modules of one only: {warm['modules']} (forked), {cold['modules']} (fresh)")
    compared = len(warm) - len(DIFFERENCES.keys() & warm.keys())
    return Verdict.passed(f"{compared} things are the same, {len(DIFFERENCES)} documented ones need not be")


def _difference(name: str, warm: Any, cold: Any) -> str:
    if isinstance(warm, dict) and isinstance(cold, dict):
        keys = sorted(key for key in {*warm, *cold} if warm.get(key) != cold.get(key))
        warm, cold = ({key: one.get(key) for key in keys} for one in (warm, cold))
    if isinstance(warm, str) and isinstance(cold, str):
        # Of a cell, or of what was printed, the first line that differs.
        pairs = itertools.zip_longest(warm.splitlines(), cold.splitlines())
        warm, cold = next((pair for pair in pairs if pair[0] != pair[1]), (warm, cold))
    return f"{name}: {warm!r} in the forked kernel, {cold!r} in the fresh one"
