"""The cells that the suite sends."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator
from unittest import mock

import pytest

from pytest_tfkernel.kernels.faults.menu import FAULTS
from pytest_tfkernel.model.errors import FaultNotPossibleError
from pytest_tfkernel.trials import examples
from pytest_tfkernel.trials.examples import EXAMPLES


def _cells() -> Iterator[tuple[str, str]]:
    for example in EXAMPLES:
        yield f"{example.name}-run", example.run
        yield f"{example.name}-again", example.again
    yield "look", examples.LOOK
    yield "speak", examples.SPEAK
    yield "count", examples.COUNT_OPERATIONS
    for fault in FAULTS:
        kernel = mock.MagicMock()
        kernel.spec.memory_limit = 1 << 20
        # One that looks at its kernel first finds nothing that it could strike.
        with contextlib.suppress(FaultNotPossibleError):
            fault.strike(kernel, None)
        for call in kernel.execute.call_args_list:
            yield fault.name, call.args[0]


@pytest.mark.parametrize(("name", "cell"), list(_cells()))
def test_cell_parses_on_the_oldest_python_of_kernels(name: str, cell: str) -> None:
    ast.parse(cell, feature_version=(3, 6))


def test_example_is_found_by_its_name() -> None:
    assert [examples.find(example.name) for example in EXAMPLES] == list(EXAMPLES)
    with pytest.raises(KeyError):
        examples.find("none")


def test_variable_is_named_and_starts_as_documented() -> None:
    run = examples.find("variable_assign").run
    assert 'tf.Variable(1.0, name="my_variable", dtype=tf.float32)' in run
