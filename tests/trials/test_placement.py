"""What the cells of the suite leave to a session: nothing that they are about is computed before it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from pytest_tfkernel.kernels.faults import cells, gpu_cells
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.suite.scenarios import configuration, live_fork
from pytest_tfkernel.trials import examples, placement
from pytest_tfkernel.trials.cells import value

pytestmark = pytest.mark.usefixtures("tensorflow_python")

# Has each session tell what it runs: `runs` are the nodes of the partition graphs, `wanted` those of the graphs.
SPY = """\
import tensorflow as tf
runs, wanted = [], []
_run = tf.compat.v1.Session.run
def _spied(session, fetches, feed_dict=None, options=None, run_metadata=None):
    told = run_metadata or tf.compat.v1.RunMetadata()
    wanted.extend([node.type, node.device] for node in session.graph.get_operations())
    value = _run(session, fetches, feed_dict, tf.compat.v1.RunOptions(output_partition_graphs=True), told)
    runs.extend([node.op, node.device] for graph in told.partition_graphs for node in graph.node)
    return value
tf.compat.v1.Session.run = _spied
"""
OLD = "TFKERNEL_TEST_PYTHON_TF115"
CPU = "/device:CPU:0"


def _harmless(cell: str, **changes: str) -> str:
    """The cell of a fault with numbers that do no harm: of a run that fails TensorFlow tells nothing."""
    for old, new in changes.items():
        assert old in cell
        cell = cell.replace(old, new)
    return cell


def _of(name: str) -> str:
    example = examples.find(name)
    return f"{example.run}\nruns.clear()\n{example.again}" if name != "variable_assign" else example.run


GPU_TOTAL = '_tfkernel_cuda.Context(_tfkernel_cuda.Driver()).memory()["total"]'
CELLS = {
    "graph_add": (f"{examples.LOOK}\n{_of('graph_add')}", {"Add"}),
    "variable_assign": (f"{examples.LOOK}\n{_of('variable_assign')}", {"Add"}),
    "gpu_matmul": (f"{examples.LOOK}\n{_of('gpu_matmul')}", {"MatMul"}),
    "live-fork": (live_fork.OWN_KERNEL, {"Add"}),
    "a child of live-fork": (
        f"import io\nwriter = type('Writer', (), dict(send_bytes=print))\n{live_fork.NEW_PROCESS}",
        {"Add"},
    ),
    "configuration": (configuration.IN_SESSIONS.format(sessions=configuration.SESSIONS), {"Add"}),
    "tf-index-error": (_harmless(cells.TF_INDEX_ERROR, **{"[7]": "[1]"}), {"Gather"}),
    "oom-tensor": (_harmless(cells.OOM_TENSOR, **{"[2**25, 2**25]": "[2, 2]"}), {"Fill"}),
    "oom-gpu": (
        _harmless(gpu_cells.OOM_GPU, **{gpu_cells.CUDA: "", GPU_TOTAL: "1 << 23", "/GPU:0": "/CPU:0"}),
        {"Fill", "Sum"},
    ),
}


@pytest.fixture(params=["", OLD])
def kernel(launcher: Launcher, request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """One of pytest's interpreter, and one of TensorFlow 1.15 where such a one is named."""
    python = os.environ.get(request.param) if request.param else sys.executable
    if python is None:
        pytest.skip(f"{OLD} names no interpreter with TensorFlow 1.15")
    kernel = launcher.start(KernelSpec(python=python, startup=SPY))
    yield kernel
    kernel.shutdown(now=True)


@pytest.mark.parametrize("name", CELLS)
def test_a_session_computes_what_the_cell_is_about(kernel: Kernel, name: str) -> None:
    cell, ops = CELLS[name]
    value(kernel, cell)
    ran = placement.ops(value(kernel, "runs"))
    assert [op for op in ops if op not in ran] == [], ran


@pytest.mark.parametrize("constants", ["matmul", "add"])
def test_of_constants_it_computes_nothing(kernel: Kernel, constants: str) -> None:
    operands = ", ".join(["tf.constant([[2.0]])"] * 2)
    function = f"tf.{'linalg.' if constants == 'matmul' else ''}{constants}"
    value(kernel, f"{examples.LOOK}\ntf.compat.v1.Session().run({function}({operands})).tolist()")
    assert placement.folded(value(kernel, "runs"))


@pytest.mark.parametrize(("name", "op"), [("tf-index-error", "GatherV2"), ("oom-tensor", "Fill")])
def test_a_fault_of_the_cpu_is_asked_of_the_cpu(kernel: Kernel, name: str, op: str) -> None:
    """On a GPU it would be another one, or none."""
    value(kernel, CELLS[name][0])
    assert value(kernel, f"[device for op, device in wanted if op == {op!r}]") == [CPU]
