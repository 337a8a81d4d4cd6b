"""The three canonical examples, as cells that run on TensorFlow 1.15 and on every 2.x.

Each holds its session open, since the state of a session is what a death takes away. All work in the
default graph: `disable_eager_execution` makes TensorFlow 2 build graphs there, as 1.x does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.trials import placement


@dataclass(frozen=True)
class Example:
    """One program: `run` builds and runs it and gives `{"result": ..., "details": {...}}`; `again` asks once more.

    `result` is what `run` must give, and `again_result` what `again` must.
    """

    name: str
    title: str
    run: str
    again: str
    result: Any
    again_result: Any


# The first cell of every kernel: looks before TensorFlow is imported, then at the default graph.
LOOK = """\
import sys
_imported = "tensorflow" in sys.modules
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
{
    "imported": _imported,
    "operations": len(tf.compat.v1.get_default_graph().get_operations()),
    "session": tf.compat.v1.get_default_session() is not None,
}
"""

# Said on both streams before a fault strikes; a post-mortem must hold it.
LAST_WORDS = "last words before the fault"
SPEAK = f"import sys\nprint({LAST_WORDS!r})\nprint({LAST_WORDS!r}, file=sys.stderr)"

COUNT_OPERATIONS = "len(tf.compat.v1.get_default_graph().get_operations())"

# TensorFlow adds constants before it runs anything, on the CPU. What is fed takes their place: the session adds.
_GRAPH_ADD = """\
two, three = tf.constant(2.0), tf.constant(3.0)
total = tf.add(two, three)
fed = {two: 2.0, three: 3.0}
session = tf.compat.v1.Session()
{"result": session.run(total, fed), "details": {}}
"""

_VARIABLE_ASSIGN = """\
my_variable = tf.Variable(1.0, name="my_variable", dtype=tf.float32)
add_one = my_variable.assign(my_variable + 1.0)
initializer = tf.compat.v1.global_variables_initializer()
session = tf.compat.v1.Session()
try:
    uninitialised = session.run(my_variable)
except tf.errors.FailedPreconditionError:
    uninitialised = "FailedPreconditionError"
session.run(initializer)
first = session.run(my_variable)
session.run(add_one)
{"result": [uninitialised, first, session.run(my_variable)], "details": {}}
"""

# A product of constants would be computed on the CPU, before anything runs on a GPU.
_GPU_MATMUL = f"""\
import numpy, os
{placement.RUN}
left, right = (numpy.random.random_sample((1000, 1000)).astype("float32") for _ in range(2))
operands = [tf.compat.v1.placeholder(tf.float32, [1000, 1000]) for _ in range(2)]
product = tf.matmul(*operands)
fed = dict(zip(operands, (left, right)))
session = tf.compat.v1.Session()
computed, ran = _tfkernel_run(session, product, fed)
exact = left.astype("float64").dot(right.astype("float64"))
gpus = [device.name for device in session.list_devices() if device.device_type == "GPU"]
error = float(abs(computed - exact).max() / exact.max()) if computed.shape == exact.shape else None
details = {{"error": error, "gpus": gpus, "ran": ran, "cuda": tf.test.is_built_with_cuda()}}
details["visible"] = os.environ.get("CUDA_VISIBLE_DEVICES")
{{"result": list(computed.shape), "details": details}}
"""

EXAMPLES: tuple[Example, ...] = (
    Example("graph_add", "2.0 + 3.0 in a graph", _GRAPH_ADD, "session.run(total, fed)", 5.0, 5.0),
    Example(
        "variable_assign",
        "a variable that is 1.0, then 2.0",
        _VARIABLE_ASSIGN,
        "session.run(my_variable)",
        ["FailedPreconditionError", 1.0, 2.0],
        2.0,
    ),
    Example(
        "gpu_matmul",
        "a (1000, 1000) matrix product",
        _GPU_MATMUL,
        "list(session.run(product, fed).shape)",
        [1000, 1000],
        [1000, 1000],
    ),
)


def find(name: str) -> Example:
    """An example by its name. Raises KeyError."""
    return {example.name: example for example in EXAMPLES}[name]
