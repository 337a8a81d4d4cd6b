"""The ways in which a fault strikes, on what stands for a kernel."""

from __future__ import annotations

import signal
from typing import Any, cast

import pytest

from pytest_tfkernel.kernels.faults.fault import ByCell, ByInterrupt, BySignal, ByStop, Condition
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.errors import FaultNotPossibleError
from pytest_tfkernel.model.kernels import Reply


def reply(value: object = None, error: str = "") -> Reply:
    found = CellError(error, "no", "") if error else None
    return Reply(ok=not error, value=value, stdout="", stderr="", error=found, seconds=0.0)


class Struck:
    """Notes what is done to it."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.done: list[tuple[Any, ...]] = []

    def signal(self, number: int) -> None:
        self.done.append(("signal", number))

    def interrupt(self) -> None:
        self.done.append(("interrupt",))

    def execute(self, cell: str, *, timeout: float | None, interactive: bool = True) -> Reply:
        self.done.append((cell, timeout, interactive))
        return self._replies.pop(0) if self._replies else reply()

    def execute_marked(self, cell: str, on_mark: Any, *, timeout: float | None) -> Reply:
        self.done.append((cell, timeout))
        on_mark("in")
        return reply()


def strike(how: Any, struck: Struck, timeout: float | None = None) -> list[tuple[Any, ...]]:
    how(cast("Kernel", struck), timeout)
    return struck.done


def test_by_signal() -> None:
    assert strike(BySignal(signal.SIGKILL), Struck()) == [("signal", signal.SIGKILL)]


@pytest.mark.parametrize(("timeout", "seconds"), [(None, 1.0), (5.0, 5.0)])
def test_a_deadline_that_is_given_is_the_one(timeout: float | None, seconds: float) -> None:
    assert strike(ByCell("x", interactive=False, deadline=1.0), Struck(), timeout) == [("x", seconds, False)]
    assert strike(ByStop(1.0), Struck(), timeout) == [("signal", signal.SIGSTOP), ("None", seconds, True)]
    assert strike(ByCell("x"), Struck(), timeout) == [("x", timeout, True)]


class TestACondition:
    HOW = ByCell("x", where=Condition("count", "there is no GPU"))

    def test_that_holds_lets_it_strike(self) -> None:
        assert strike(self.HOW, Struck(reply(2)), 5.0) == [("count", 5.0, True), ("x", 5.0, True)]

    @pytest.mark.parametrize(
        ("answer", "words"), [(reply(0), "none is visible"), (reply(error="CudaError"), "CudaError: no")]
    )
    def test_that_does_not_says_why(self, answer: Reply, words: str) -> None:
        struck = Struck(answer)
        with pytest.raises(FaultNotPossibleError, match=f"^there is no GPU: {words}$"):
            strike(self.HOW, struck)
        assert len(struck.done) == 1


def test_an_interrupt_comes_when_the_cell_runs() -> None:
    assert strike(ByInterrupt("x"), Struck(), 5.0) == [("x", 5.0), ("interrupt",)]
