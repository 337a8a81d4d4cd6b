"""What must hold while a kernel lives."""

from __future__ import annotations

from pytest_tfkernel.model.faults import Lives
from pytest_tfkernel.model.trials import Generation, Observation, Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example, has_example_of, is_survived, is_without_fault
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.trials import examples


@guarantee(
    "starts-blank",
    where="every trial of an example",
    applies=has_example,
    control="keeps_its_graph",
)
def starts_blank(seen: Observation) -> Verdict:
    """A new kernel has an empty default graph and no session; cold, `tensorflow` isn't even imported."""
    generations = [one for one in (seen.first, seen.second) if one is not None]
    if any(one.operations_before is None for one in generations):
        return Verdict.unknown(f"a new kernel could not be looked at: {_first_error(generations)}")
    for one in generations:
        if one.operations_before:
            return Verdict.failed(f"kernel {one.process} began with {one.operations_before} operations in its graph")
        if one.session:
            return Verdict.failed(f"kernel {one.process} began with a default session")
        if one.imported and seen.setting.provisioner == "subprocess":
            return Verdict.failed(f"kernel {one.process} is cold, but began with tensorflow imported")
    return Verdict.passed()


@guarantee(
    "graph-add",
    where="trials of `graph_add`",
    applies=has_example_of("graph_add"),
    control="adds_wrongly",
)
def graph_add(seen: Observation) -> Verdict:
    """The constants 2.0 and 3.0, added in a Session, give 5.0."""
    return gives_result(seen)


@guarantee(
    "variable-assign",
    where="trials of `variable_assign`",
    applies=has_example_of("variable_assign"),
    control="assigns_nothing",
)
def variable_assign(seen: Observation) -> Verdict:
    """A variable starts at 1.0, is assigned its value + 1 in the Session, and reads 2.0."""
    return gives_result(seen)


@guarantee(
    "state-lives-with-process",
    where="trials without a fault",
    applies=is_without_fault,
    control="forgets_between_cells",
)
def state_lives_with_process(seen: Observation) -> Verdict:
    """Without a fault the open session keeps its state in a later cell: the control of all that follows a death."""
    if seen.first.error:
        return Verdict.unknown(f"the example did not run: {seen.first.error}")
    expected = examples.find(seen.setting.example).again_result
    if seen.first.again != expected:
        return Verdict.failed(f"a later cell read {seen.first.again!r} from the open session, not {expected!r}")
    return Verdict.passed()


@guarantee(
    "error-is-not-death",
    where="trials of faults that a kernel survives",
    applies=is_survived,
    control="dies_of_errors",
)
def error_is_not_death(seen: Observation) -> Verdict:
    """After a fault that "lives", it is the same process and the same session, which still has its state."""
    if seen.first.error:
        return Verdict.unknown(f"the example did not run: {seen.first.error}")
    if seen.not_possible or seen.outcome is None or not isinstance(seen.expects, Lives):
        return Verdict.unknown(seen.not_possible or "the fault was not injected")
    if seen.outcome.post_mortem is not None:
        return Verdict.failed(f"{seen.setting.fault} should not kill: {seen.outcome.post_mortem.headline()}")
    error = seen.outcome.reply.error if seen.outcome.reply is not None else None
    if error is None or error.type.rpartition(".")[2] not in seen.expects.errors:
        shown = str(error).splitlines()[0] if error is not None else "no error"
        return Verdict.failed(f"{seen.setting.fault} gave {shown}, not {' or '.join(seen.expects.errors)}")
    if seen.after_fault_error:
        return Verdict.failed(f"the session could not be used after {error.type}: {seen.after_fault_error}")
    if seen.process_after_fault != seen.first.process:
        return Verdict.failed(f"process {seen.process_after_fault} answered, not {seen.first.process}")
    expected = examples.find(seen.setting.example).again_result
    if seen.after_fault != expected:
        return Verdict.failed(f"the open session said {seen.after_fault!r} after {error.type}, not {expected!r}")
    return Verdict.passed(f"{error.type}, and the session lives")


def gives_result(seen: Observation) -> Verdict:
    """The example gave what it must, in the first process; the second is `session-is-rebuilt`."""
    if seen.first.error:
        return Verdict.failed(f"the example did not run: {seen.first.error}")
    expected = examples.find(seen.setting.example).result
    if seen.first.result != expected:
        return Verdict.failed(f"gave {seen.first.result!r}, not {expected!r}")
    return Verdict.passed()


def _first_error(generations: list[Generation]) -> str:
    return next((one.error for one in generations if one.error), "no reason is known")
