"""What a new process says to the names of a dead one's state."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts, plain
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.old_state import NAME, NAMES, OldNames, Use

# The same in 1.15, 2.15 and 2.21, with a part of the message where it says what is missing.
REFUSALS = {
    "session-handle": (("InvalidArgumentError",), "is not in the session store"),
    "iterator-handle": (("NotFoundError",), "does not exist"),
    "session-target": (("DeadlineExceededError", "UnavailableError"), ""),
    "tensor-name": (("ValueError",), "does not exist"),
}


@guarantee(
    NAME,
    where=f"the trial of `{NAME}`",
    applies=has_example_of(NAME),
    control="answers_for_the_dead",
)
def old_state_is_refused(seen: Facts[OldNames]) -> Verdict:
    """Handles of tensors and iterators, session targets and tensor names of a dead process are refused by the next."""
    if seen.error:
        return Verdict.unknown(seen.error)
    for one in NAMES:
        before, after = seen.facts.before[one.kind], seen.facts.after[one.kind]
        if before != Use(value=one.result):
            shown = plain(before)
            return Verdict.unknown(f"the {one.kind} gave {shown} in its own process: its refusal would prove nothing")
        if after.hung is not None:
            return Verdict.failed(f"the old {one.kind} was not refused within {after.hung:g} s")
        if after.died is not None:
            return Verdict.failed(f"the old {one.kind} did not give an error but killed the process: {after.died}")
        if after.error is None:
            return Verdict.failed(f"the old {one.kind} was accepted, and gave {after.value!r}")
        errors, part = REFUSALS[one.kind]
        if after.error not in errors or part not in after.message:
            shown = f"{after.error}: {after.message.strip()[:300]}"
            return Verdict.failed(f"the old {one.kind} gave {shown}, not {' or '.join(errors)}")
        if seen.facts.namesake.get(one.kind) == Use(value=one.result):
            return Verdict.failed(f"beside a namesake, the old {one.kind} gave {one.result!r}, which died")
    return Verdict.passed(", ".join(f"{one.kind}: {seen.facts.after[one.kind].error}" for one in NAMES))
