"""What must not be left of a dead kernel, and how that is known."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Observation, Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of, is_deadly
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.guarantees.death import death_of
from pytest_tfkernel.suite.scenarios import planted

# A person reads these; the number says how many more there are.
_SHOWN = 3


@guarantee(
    "nothing-is-left",
    where="trials of deadly faults",
    applies=is_deadly,
    control="leaves_an_orphan",
)
def nothing_is_left(seen: Observation) -> Verdict:
    """No process, thread, zombie, device, shared memory, semaphore, socket, lock or temporary file is left."""
    died = death_of(seen)
    if isinstance(died, Verdict):
        return died
    if seen.audit is None:
        return Verdict.unknown("nothing looked for what was left")
    if seen.audit.leaks:
        return Verdict.failed(f"left behind: {', '.join(map(str, seen.audit.leaks))}")
    if seen.untrusted:
        kinds = ", ".join(kind.value for kind in seen.untrusted)
        return Verdict.unknown(f"nothing was found, but the audit finds no planted leaks here of: {kinds}")
    if seen.audit.blind:
        shown = "; ".join(map(str, seen.audit.blind[:_SHOWN]))
        return Verdict.unknown(f"{len(seen.audit.blind)} place(s) could not be looked at: {shown}")
    return Verdict.passed()


@guarantee(
    "audit-is-trusted",
    where=f"the trial of `{planted.NAME}`",
    applies=has_example_of(planted.NAME),
    control="blind_probe",
)
def audit_is_trusted(seen: Facts[planted.Planted]) -> Verdict:
    """Planted leaks of every kind are found in this very run; otherwise nothing is said of leaks."""
    if seen.error:
        return Verdict.unknown(f"no leaks could be planted, so finding none would prove nothing: {seen.error}")
    if seen.facts.missed:
        return Verdict.failed(f"planted and not found: {', '.join(seen.facts.missed)}")
    if seen.facts.refused:
        shown = "; ".join(f"{kind}: {why}" for kind, why in seen.facts.refused.items())
        return Verdict.unknown(f"could not be planted here: {shown}")
    return Verdict.passed(f"found: {', '.join(seen.facts.found)}")
