"""What must hold when a kernel has died, and when the next one has started."""

from __future__ import annotations

from pytest_tfkernel.kernels.phases import STARTING
from pytest_tfkernel.model.faults import Dies
from pytest_tfkernel.model.processes import PostMortem
from pytest_tfkernel.model.trials import Generation, Observation, Verdict
from pytest_tfkernel.suite.guarantees.applicability import (
    is_deadly,
    is_deadly_to,
    is_script_error,
)
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.trials import examples


@guarantee(
    "death-is-explained",
    where="trials of deadly faults",
    applies=is_deadly,
    control="hides_its_stack",
)
def death_is_explained(seen: Observation) -> Verdict:
    """The post-mortem names the true exit status, cause and killer, and holds stdout, stderr and stack."""
    died = _survival(seen) or death_of(seen)
    if isinstance(died, Verdict):
        return died
    expects = seen.expects
    if not isinstance(expects, Dies):
        return Verdict.unknown(f"nothing says how {seen.setting.fault} must end")
    found = Dies(died.exit_status, died.cause, died.killer, expects.stack) if died.exit_status else None
    if found != expects:
        return Verdict.failed(f"{seen.setting.fault}: expected that it {expects}, but: {died.headline()}")
    if expects.stack and "most recent call first" not in died.stack:
        return Verdict.failed(f"{died.exit_status} left no Python stack")
    # One that was still starting had said nothing.
    spoke = seen.setting.phase != STARTING
    if spoke and (examples.LAST_WORDS not in died.stdout or examples.LAST_WORDS not in died.stderr):
        return Verdict.failed("the last words on stdout and stderr are not in the post-mortem")
    return Verdict.passed(f"{died.exit_status}, {died.cause.value}, killed by {died.killer.value}")


@guarantee(
    "script-dies-of-error",
    where="trials of `index-error-script`",
    applies=is_script_error,
    control="exits_with_zero",
)
def script_dies_of_error(seen: Observation) -> Verdict:
    """An uncaught error ends a script with exit code 1, and its traceback is in the post-mortem."""
    died = death_of(seen)
    if isinstance(died, Verdict):
        return died
    if died.exit_status is None or died.exit_status.code != 1:
        return Verdict.failed(f"expected exit code 1, but: {died.headline()}")
    if "Traceback" not in died.stderr or "IndexError" not in died.stderr:
        return Verdict.failed("no traceback of the IndexError is in the post-mortem's stderr")
    return Verdict.passed()


@guarantee(
    "process-is-new",
    where="trials of deadly faults",
    applies=is_deadly,
    control="survives_sigterm",
)
def process_is_new(seen: Observation) -> Verdict:
    """After a restart it is another process (pid *and* start time), and the old one is gone and reaped."""
    died = _survival(seen) or death_of(seen)
    if isinstance(died, Verdict):
        return died
    if not seen.old_is_gone:
        return Verdict.failed(f"process {seen.first.process} still exists after its death: nobody reaped it")
    if seen.second is None:
        return Verdict.failed(f"no new process started: {seen.no_restart}")
    if seen.second.process == seen.first.process:
        return Verdict.failed(f"process {seen.first.process} answered again after the restart")
    return Verdict.passed(f"{seen.first.process}, then {seen.second.process}")


@guarantee(
    "session-is-rebuilt",
    where="trials of deadly faults",
    applies=is_deadly,
    control="keeps_its_graph",
)
def session_is_rebuilt(seen: Observation) -> Verdict:
    """The next process has an empty graph, then as many operations as the first one, and the same result."""
    second = _second(seen)
    if isinstance(second, Verdict):
        return second
    if second.operations_before != 0:
        return Verdict.failed(f"the new graph began with {second.operations_before} operations")
    if second.error:
        return Verdict.failed(f"the example did not run again: {second.error}")
    if second.operations_after != seen.first.operations_after:
        return Verdict.failed(f"{second.operations_after} operations, not {seen.first.operations_after} as before")
    if second.result != seen.first.result:
        return Verdict.failed(f"gave {second.result!r}, not {seen.first.result!r} as before")
    return Verdict.passed(f"{second.operations_after} operations again, same result")


@guarantee(
    "variable-is-reset",
    where="trials of `variable_assign` with deadly faults",
    applies=is_deadly_to("variable_assign"),
    control="restores_its_variable",
)
def variable_is_reset(seen: Observation) -> Verdict:
    """After a restart the variable is uninitialised before the initializer, 1.0 after it, 2.0 after the assignment."""
    example = examples.find("variable_assign")
    second = _second(seen)
    if isinstance(second, Verdict):
        return second
    if seen.first.again != example.again_result:
        return Verdict.unknown(f"the variable was {seen.first.again!r} before the death: its reset would prove nothing")
    if second.error:
        return Verdict.unknown(f"the example did not run again: {second.error}")
    if second.result != example.result:
        return Verdict.failed(
            f"read {second.result!r} (before, after the initializer, after assign), not {example.result!r}"
        )
    return Verdict.passed("uninitialised, 1.0, 2.0")


def death_of(seen: Observation) -> PostMortem | Verdict:
    """The post-mortem of the trial, or a verdict that says why there is none."""
    if seen.first.error:
        return Verdict.unknown(f"the example did not run: {seen.first.error}")
    if seen.not_possible or seen.outcome is None:
        return Verdict.unknown(seen.not_possible or "the fault was not injected")
    if seen.outcome.post_mortem is None:
        return Verdict.unknown(f"the kernel survived {seen.setting.fault}, so there was no death to look at")
    return seen.outcome.post_mortem


def _survival(seen: Observation) -> Verdict | None:
    """FAIL when the fault had its chance, and the kernel lived on."""
    if seen.outcome is None or seen.outcome.post_mortem is not None:
        return None
    return Verdict.failed(f"process {seen.first.process} survived {seen.setting.fault}")


def _second(seen: Observation) -> Generation | Verdict:
    """The generation after the death, or a verdict that says why there is none."""
    died = death_of(seen)
    if isinstance(died, Verdict):
        return died
    if seen.second is None:
        return Verdict.failed(f"the kernel did not start again: {seen.no_restart}")
    return seen.second
