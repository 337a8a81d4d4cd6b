"""What becomes of an interrupt."""

from __future__ import annotations

from pytest_tfkernel.model.trials import Facts, Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.interrupts import HEARD, NAME, SWALLOWED

# Measured: 2.18.1 and 2.21.0 swallow it in every try, and 1.15.5, 2.12.1 and 2.15.1 in none.
SWALLOWING = ((2, 18), (2, 21))
# The op runs some tenths of a second: a reply that comes at once was on its way before the signal.
_SECONDS = 0.02


@guarantee(NAME, where=f"the trial of `{NAME}`", applies=has_example_of(NAME), control="ignores_interrupts")
def interrupt_is_heard(seen: Facts) -> Verdict:
    """SIGINT in Session.run raises KeyboardInterrupt when the op returns; 2.18 to 2.21 swallow it in a first run."""
    if seen.error:
        return Verdict.unknown(seen.error)
    first, second = seen.facts["first"], seen.facts["second"]
    if min(first["waited"], second["waited"]) < _SECONDS:
        return Verdict.unknown("the op returned at once: nothing shows that the interrupt struck while it ran")
    if second["outcome"] != HEARD:
        return Verdict.failed(f"in a later Session.run the interrupt was not heard: {second['outcome']}")
    before, after = seen.facts["pids"]
    if before != after:
        return Verdict.failed(f"process {before} was interrupted, and {after} answered afterwards")
    if first["outcome"] == HEARD:
        return Verdict.passed("heard in the first Session.run and in a later one")
    if first["outcome"] == SWALLOWED and _swallows(seen.interpreter.tensorflow or ""):
        return Verdict.passed("swallowed in the first Session.run, as in 2.18 to 2.21; heard in a later one")
    return Verdict.failed(f"in the first Session.run the interrupt was not heard: {first['outcome']}")


def _swallows(version: str) -> bool:
    numbers = version.split(".")[:2]
    if not all(number.isdigit() for number in numbers):
        return False
    return SWALLOWING[0] <= tuple(map(int, numbers)) <= SWALLOWING[1]
