"""The canonical examples as people write them, in whatever mode TensorFlow begins, and then in a graph."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.trials.cells import value
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "eager-needs-graph"

# By this is told which API is there: that of TensorFlow 1, or a later one.
HAS_SESSIONS = 'import tensorflow as tf\nhasattr(tf, "Session")'

# Tensors first, and a session opened afterwards. Each says its result by the name `result`.
PROGRAMS = {
    "graph_add": """\
total = tf.add(tf.constant(2.0), tf.constant(3.0))
with tf.compat.v1.Session() as session:
    result = float(session.run(total))
""",
    "variable_assign": """\
my_variable = tf.Variable(1.0, name="my_variable", dtype=tf.float32)
add_one = my_variable.assign(my_variable + 1.0)
with tf.compat.v1.Session() as session:
    session.run(tf.compat.v1.global_variables_initializer())
    first = float(session.run(my_variable))
    session.run(add_one)
    result = [first, float(session.run(my_variable))]
""",
    "gpu_matmul": """\
left, right = (tf.random.uniform((1000, 1000)) for _ in range(2))
with tf.compat.v1.Session() as session:
    result = list(session.run(tf.matmul(left, right)).shape)
""",
}
RESULTS: dict[str, Any] = {"graph_add": 5.0, "variable_assign": [1.0, 2.0], "gpu_matmul": [1000, 1000]}


@dataclass(frozen=True, kw_only=True)
class ProgramResult:
    """The `result` of a program, or the type and the `message` of its `error`."""

    result: Any = UNSEEN
    error: str | None = None
    message: str = UNSEEN


@dataclass(frozen=True, kw_only=True)
class Modes:
    """`eager`: the mode in which TensorFlow began; `plain`, `in_graph`: the outcome of each program.

    `has_sessions`: they are at the top of its API, which then is that of TensorFlow 1.
    """

    eager: bool = UNSEEN
    has_sessions: bool = UNSEEN
    plain: dict[str, ProgramResult] = UNSEEN
    in_graph: dict[str, ProgramResult] = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Modes]:
    """Run each program in the mode in which TensorFlow begins, and in a graph."""
    notes = Recorder(Modes)

    def script(start: Starts) -> None:
        kernel = start()
        notes.note(eager=value(kernel, "import tensorflow as tf\ntf.executing_eagerly()"))
        notes.note(has_sessions=value(kernel, HAS_SESSIONS))
        notes.note(plain={name: _outcome(kernel, program) for name, program in PROGRAMS.items()})
        notes.note(in_graph={name: _outcome(kernel, _in_graph(program)) for name, program in PROGRAMS.items()})

    return perform(setting, stage, spec, notes, script)


def _outcome(kernel: Kernel, program: str) -> ProgramResult:
    return ProgramResult(**value(kernel, _attempt(program)))


def _in_graph(program: str) -> str:
    return "with tf.Graph().as_default():\n" + textwrap.indent(program, "    ")


def _attempt(program: str) -> str:
    return f"""\
def _tfkernel_attempt():
    try:
{textwrap.indent(program, "        ")}
    except Exception as error:
        return {{"error": type(error).__name__, "message": str(error)[:300]}}
    return {{"result": result}}
_tfkernel_attempt()
"""


EAGER_NEEDS_GRAPH = Scenario(
    NAME, "sessions without a graph, and with one", (Setting("forkserver", NAME, "none"),), play
)
