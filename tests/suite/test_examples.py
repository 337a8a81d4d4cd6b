"""The cells that the suite sends."""

from __future__ import annotations

import ast
import inspect

import pytest

from pytest_tfkernel.kernels import faults, oom
from pytest_tfkernel.suite import examples
from pytest_tfkernel.suite.examples import EXAMPLES

CELLS = {
    **{f"{example.name}-run": example.run for example in EXAMPLES},
    **{f"{example.name}-again": example.again for example in EXAMPLES},
    "look": examples.LOOK,
    "speak": examples.SPEAK,
    "count": examples.COUNT_OPERATIONS,
    "tf-index-error": faults._TF_INDEX_ERROR,
    "oom-tensor": faults._OOM_TENSOR,
    "oom-memory-error": faults._OOM_MEMORY_ERROR,
    "oom-kill": oom._CELL.format(pieces=1),
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_cell_parses_on_the_oldest_python_of_kernels(cell: str) -> None:
    ast.parse(cell, feature_version=(3, 6))


def test_example_is_found_by_its_name() -> None:
    assert [examples.find(example.name) for example in EXAMPLES] == list(EXAMPLES)
    with pytest.raises(KeyError):
        examples.find("none")


def test_variable_is_named_and_starts_as_documented() -> None:
    run = examples.find("variable_assign").run
    assert 'tf.Variable(1.0, name="my_variable", dtype=tf.float32)' in run


def test_names_of_faults_in_cells_are_no_users() -> None:
    source = inspect.getsource(faults) + inspect.getsource(oom)
    assert source.count("def _tfkernel_fault():") == source.count("\n_tfkernel_fault()\n")
