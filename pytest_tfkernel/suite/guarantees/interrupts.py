"""What becomes of an interrupt."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios import imports
from pytest_tfkernel.suite.scenarios.interrupts import HEARD, NAME, Interrupts


@guarantee(NAME, where=f"the trial of `{NAME}`", applies=has_example_of(NAME), control="ignores_interrupts")
def interrupt_is_heard(seen: Facts[Interrupts]) -> Verdict:
    """SIGINT in Session.run raises KeyboardInterrupt when the op returns, in the first run of a process too."""
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
    if first.outcome != HEARD:
        return Verdict.failed(f"in the first Session.run the interrupt was not heard: {first.outcome}")
    return Verdict.passed("heard in the first Session.run and in a later one")


@guarantee(
    imports.NAME,
    where=f"the trial of `{imports.NAME}`",
    applies=has_example_of(imports.NAME),
    control="breaks_its_imports",
)
def import_is_repeatable(seen: Facts[imports.Imports]) -> Verdict:
    """An `import tensorflow` that was interrupted can be repeated, in the same process and in a new one."""
    if seen.error:
        return Verdict.unknown(seen.error)
    facts = seen.facts
    if facts.fresh != imports.WORKS:
        return Verdict.failed(f"a new process could not import TensorFlow: {facts.fresh}")
    if imports.DIED in {facts.interrupted, facts.again}:
        return Verdict.failed("the process died of an interrupt")
    if not facts.in_phase:
        return Verdict.unknown("the import went on to its end: nothing shows that the interrupt struck in it")
    if facts.again != imports.WORKS:
        return Verdict.failed(f"the import could not be repeated in the same process: {facts.again}")
    return Verdict.passed(f"the import was {facts.interrupted}, and repeated in the same process")
