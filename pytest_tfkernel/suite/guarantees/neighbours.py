"""What kernels have to do with each other: nothing."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts, plain
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.neighbours import PRIVATE, UNHARMED, WRITTEN, Namesakes, Neighbour
from pytest_tfkernel.trials import examples

_EXAMPLE = examples.find("variable_assign")


@guarantee(
    UNHARMED,
    where=f"the trials of `{UNHARMED}`",
    applies=has_example_of(UNHARMED),
    control="mourns_its_neighbour",
)
def neighbour_is_unharmed(seen: Facts[Neighbour]) -> Verdict:
    """While one kernel dies and starts again, a second one keeps its process, its session and its 2.0."""
    if seen.error:
        return Verdict.unknown(seen.error)
    facts, held = seen.facts, _EXAMPLE.again_result
    if facts.before.value != held:
        return Verdict.unknown(f"before the fault the neighbour said {plain(facts.before)}: there was nothing to keep")
    # First of all the neighbour: it may be why the other one didn't die as it should.
    for when, answer in (("after the death", facts.after), ("after the restart", facts.again)):
        if answer is not None and answer != facts.before:
            return Verdict.failed(f"{when} the neighbour said {plain(answer)}, not {plain(facts.before)}")
    if not facts.as_expected:
        return Verdict.unknown(
            f"{seen.setting.fault}: expected that it {facts.expected}, but: {facts.death or 'it lived'}"
        )
    if facts.restarted != _EXAMPLE.result:
        return Verdict.failed(f"beside its neighbour, the new kernel read {facts.restarted!r}")
    return Verdict.passed(f"{held} before and after")


@guarantee(
    PRIVATE,
    where=f"the trial of `{PRIVATE}`",
    applies=has_example_of(PRIVATE),
    control="shares_its_variable",
)
def names_are_private(seen: Facts[Namesakes]) -> Verdict:
    """Kernels that have a variable of the same name each read what they wrote themselves; a later one begins anew."""
    if seen.error:
        return Verdict.unknown(seen.error)
    facts = seen.facts
    if len(set(facts.names)) != 1:
        return Verdict.unknown(f"the variables have different names: {', '.join(facts.names)}")
    written = [list(pair) for pair in WRITTEN]
    if facts.read != written:
        return Verdict.failed(f"the kernels wrote {written}, and read {facts.read}")
    if facts.later != _EXAMPLE.result:
        return Verdict.failed(f"a later kernel read {facts.later!r}, not {_EXAMPLE.result!r}")
    if facts.last != written[-1]:
        return Verdict.failed(f"after a later kernel's example the kernels read {facts.last}, not {written[-1]}")
    return Verdict.passed(f"{len(written)} values of each of two kernels, and a third one that began anew")
