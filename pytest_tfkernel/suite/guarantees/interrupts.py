"""What becomes of an interrupt."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.guarantees.versions import is_since
from pytest_tfkernel.suite.scenarios import imports
from pytest_tfkernel.suite.scenarios.interrupts import HEARD, NAME, SWALLOWED, Interrupts

# Measured: 2.18.1, 2.21.0 and a nightly 2.22 swallow it in every try, and 1.15.5, 2.12.1 and 2.15.1 in none.
SWALLOWING_SINCE = (2, 18)
# Measured: 4 of 24 interrupted imports of 2.21 left that process unable to import it, with this message.
UNREPEATABLE, UNREPEATABLE_SINCE = "already registered", (2, 21)
_NO_VERSION = "and which version this is isn't known"


@guarantee(NAME, where=f"the trial of `{NAME}`", applies=has_example_of(NAME), control="ignores_interrupts")
def interrupt_is_heard(seen: Facts[Interrupts]) -> Verdict:
    """SIGINT in Session.run raises KeyboardInterrupt when the op returns; since 2.18 a first run swallows it."""
    if seen.error:
        return Verdict.unknown(seen.error)
    first, second = seen.facts.first, seen.facts.second
    if not (first.struck and second.struck):
        return Verdict.unknown("the interrupt did not come while the session ran")
    if second.outcome != HEARD:
        return Verdict.failed(f"in a later Session.run the interrupt was not heard: {second.outcome}")
    before, after = seen.facts.pids
    if before != after:
        return Verdict.failed(f"process {before} was interrupted, and {after} answered afterwards")
    if first.outcome == HEARD:
        return Verdict.passed("heard in the first Session.run and in a later one")
    if first.outcome == SWALLOWED:
        is_known = is_since(seen.interpreter.tensorflow, SWALLOWING_SINCE)
        if is_known:
            return Verdict.passed("swallowed in the first Session.run, as since 2.18; heard in a later one")
        if is_known is None:
            return Verdict.unknown(f"swallowed in the first Session.run; since 2.18 it is, {_NO_VERSION}")
    return Verdict.failed(f"in the first Session.run the interrupt was not heard: {first.outcome}")


@guarantee(
    imports.NAME,
    where=f"the trial of `{imports.NAME}`",
    applies=has_example_of(imports.NAME),
    control="breaks_its_imports",
)
def import_is_repeatable(seen: Facts[imports.Imports]) -> Verdict:
    """An interrupted `import tensorflow` can be repeated, since 2.21 at least in a new process, before in the same."""
    if seen.error:
        return Verdict.unknown(seen.error)
    facts = seen.facts
    if facts.fresh != imports.WORKS:
        return Verdict.failed(f"a new process could not import TensorFlow: {facts.fresh}")
    if imports.DIED in {facts.interrupted, facts.again}:
        return Verdict.failed("the process died of an interrupt")
    if not facts.in_phase:
        return Verdict.unknown("the import went on to its end: nothing shows that the interrupt struck in it")
    if facts.again == imports.WORKS:
        return Verdict.passed(f"the import was {facts.interrupted}, and repeated in the same process")
    if UNREPEATABLE in facts.again:
        is_known = is_since(seen.interpreter.tensorflow, UNREPEATABLE_SINCE)
        if is_known:
            return Verdict.passed(f"the import could be repeated in a new process only: {facts.again}")
        if is_known is None:
            return Verdict.unknown(f"in a new process only, as since 2.21, {_NO_VERSION}: {facts.again}")
    return Verdict.failed(f"the import could not be repeated: {facts.again}")
