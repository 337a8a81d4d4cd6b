"""What eager execution refuses."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.eager import NAME, RESULTS, Modes, ProgramResult

# What 2.12, 2.15, 2.18 and 2.21 say, word for word the same but for what stands around these parts.
REFUSALS = {
    "graph_add": ("RuntimeError", "The Session graph is empty"),
    "variable_assign": ("TypeError", "must be a string or Tensor"),
    "gpu_matmul": ("RuntimeError", "Attempting to capture an EagerTensor without building a function"),
}


@guarantee(
    NAME,
    where=f"the trial of `{NAME}`",
    applies=has_example_of(NAME),
    control="is_never_eager",
)
def eager_needs_graph(seen: Facts[Modes]) -> Verdict:
    """TensorFlow 2 refuses the examples with its documented errors outside of a graph, and runs them inside of one."""
    if seen.error:
        return Verdict.unknown(seen.error)
    # Where sessions aren't at the top of the API any more, eager execution is what it begins with.
    eager = not seen.facts.has_sessions
    if seen.facts.eager is not eager:
        began = "in graph mode, though it has no tf.Session" if eager else "in eager mode, though it has tf.Session"
        return Verdict.failed(f"TensorFlow began {began}")
    for name, result in RESULTS.items():
        plain, in_graph = seen.facts.plain[name], seen.facts.in_graph[name]
        if eager and not _is_refusal(plain, *REFUSALS[name]):
            return Verdict.failed(f"eagerly, {name} gave {_shown(plain)}, not {': '.join(REFUSALS[name])}")
        if not eager and plain != ProgramResult(result=result):
            return Verdict.failed(f"in graph mode, {name} gave {_shown(plain)}, not {result!r}")
        if in_graph != ProgramResult(result=result):
            return Verdict.failed(f"in a graph, {name} gave {_shown(in_graph)}, not {result!r}")
    return Verdict.passed(f"{len(RESULTS)} refused without a graph" if eager else "graph mode is the default")


def _is_refusal(outcome: ProgramResult, error: str, part: str) -> bool:
    return outcome.error == error and part in outcome.message


def _shown(outcome: ProgramResult) -> str:
    return f"{outcome.error}: {outcome.message}" if outcome.error is not None else repr(outcome.result)
