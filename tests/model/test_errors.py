"""Errors whose text is what a person needs."""

from __future__ import annotations

import builtins

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


class TestCellRaisedError:
    @pytest.mark.parametrize("name", ["ValueError", "KeyError", "OSError", "UnicodeDecodeError", "StopIteration"])
    def test_it_is_of_the_built_in_type_that_the_cell_raised(self, name: str) -> None:
        raised = errors.CellRaisedError.of(CellError(name, "'a'", "Traceback: it\n"))
        assert isinstance(raised, getattr(builtins, name))
        assert str(raised) == f"the cell raised {name}: 'a'\nTraceback: it"

    # Nobody would catch the first two with `except Exception`; the others take other arguments, or aren't exceptions.
    @pytest.mark.parametrize(
        "name", ["KeyboardInterrupt", "SystemExit", "ExceptionGroup", "print", "mine.ValueError", ""]
    )
    def test_of_any_other_it_is_itself(self, name: str) -> None:
        raised = errors.CellRaisedError.of(CellError(name, "a", "Traceback: it"))
        assert type(raised) is errors.CellRaisedError
        assert raised.error.type == name
