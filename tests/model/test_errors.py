"""Errors whose text is what a person needs."""

from __future__ import annotations

import pytest

from pytest_tfkernel.model import errors
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer, PostMortem, ProcessId

DEAD = PostMortem(
    ProcessId(7, 1), 1, ExitStatus(signal=9), Cause.SIGNAL, Killer.US, None, 1.5, "x = 1", "", "out", "err"
)


def test_all_are_caught_as_one_and_those_of_input_as_value_errors_too() -> None:
    ours = [one for one in vars(errors).values() if isinstance(one, type) and one.__module__ == errors.__name__]
    assert all(issubclass(one, errors.TFKernelError) for one in ours)
    values = {one.__name__ for one in ours if issubclass(one, ValueError)}
    assert values == {"SpecError", "TooLargeError", "FaultError"}


@pytest.mark.parametrize("kind", [errors.KernelDied, errors.KernelHung])
def test_a_death_tells_all_that_is_known(kind: type[errors.KernelDied]) -> None:
    error = kind(DEAD)
    assert error.post_mortem is DEAD
    assert str(error) == DEAD.describe()
    # Whoever waits for a death waits for one at a deadline, too.
    assert isinstance(error, errors.KernelDied)


def test_a_call_has_the_error_of_the_kernel_where_it_raised_there() -> None:
    raised = CellError("KeyError", "'a'", "")
    assert errors.CallError("it raised", raised).error is raised
    assert errors.CallError("it can't be sent").error is None
