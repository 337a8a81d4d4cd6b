"""Cells of the suite's own, which must not fail."""

from __future__ import annotations

from typing import cast

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.errors import KernelIsDead
from pytest_tfkernel.model.kernels import Reply
from pytest_tfkernel.trials.cells import CellFailedError, value


class Answers:
    """Stands for a kernel."""

    def __init__(self, answer: Reply | Exception) -> None:
        self._answer = answer
        self.asked: list[tuple[str, float | None]] = []

    def execute(self, cell: str, timeout: float | None = None) -> Reply:
        self.asked.append((cell, timeout))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def as_kernel(self) -> Kernel:
        return cast("Kernel", self)


def reply(value: object = None, error: CellError | None = None) -> Reply:
    return Reply(ok=error is None, value=value, stdout="", stderr="", error=error, seconds=0.0)


def test_the_value_is_given() -> None:
    answers = Answers(reply([1.0]))
    assert value(answers.as_kernel(), "x", 5.0) == [1.0]
    assert answers.asked == [("x", 5.0)]


def test_an_error_is_told_in_its_first_line() -> None:
    with pytest.raises(CellFailedError, match="^KeyError: a$"):
        value(Answers(reply(error=CellError("KeyError", "a\nb", "Traceback"))).as_kernel(), "x")


def test_a_death_is_told_in_full() -> None:
    with pytest.raises(CellFailedError, match="^kernel 7 is dead\nsince long$") as caught:
        value(Answers(KernelIsDead("kernel 7 is dead\nsince long")).as_kernel(), "x")
    assert caught.value.__suppress_context__
