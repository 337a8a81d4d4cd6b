"""What kernels must not have in common: their luck."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.randomness import NAME, Draws


@guarantee(
    NAME,
    where=f"the trial of `{NAME}`",
    applies=has_example_of(NAME),
    control="seeds_its_random_state",
)
def random_state_is_fresh(seen: Facts[Draws]) -> Verdict:
    """No two kernels draw the same numbers, unless they were given a seed."""
    if seen.error:
        return Verdict.unknown(seen.error)
    draws = seen.facts.draws
    same = [source for source in draws[0] if len({str(drawn[source]) for drawn in draws}) < len(draws)]
    if same:
        return Verdict.failed(f"drew the same in two kernels: {', '.join(same)}")
    # TensorFlow's own state is of the graph: a seed of an op means the same in every process.
    if any(numbers != seen.facts.seeded[0] for numbers in seen.facts.seeded):
        return Verdict.failed(f"one seed of an op gave {seen.facts.seeded}")
    return Verdict.passed(f"{len(draws[0])} sources, {len(draws)} processes")
