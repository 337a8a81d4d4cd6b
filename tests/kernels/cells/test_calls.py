"""Functions sent to a kernel."""

from __future__ import annotations

import os
import threading

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import CallError, KernelDied, TooLargeError

FACTOR = 3


def triple(number: int) -> int:
    return FACTOR * number


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


class TestFunctionsThatWork:
    def test_a_function_of_a_test_module_with_its_globals(self, kernel: Kernel) -> None:
        assert kernel.call(triple, 4) == 12

    def test_a_lambda(self, kernel: Kernel) -> None:
        assert kernel.call(lambda *numbers, **words: [numbers, words], 1, 2, three=3) == [(1, 2), {"three": 3}]

    def test_a_closure(self, kernel: Kernel) -> None:
        captured = {"key": [1, 2]}

        def local() -> object:
            return captured, os.getpid()

        assert kernel.call(local) == (captured, kernel.pid)

    def test_a_function_that_calls_another_of_its_module(self, kernel: Kernel) -> None:
        assert kernel.call(lambda: triple(triple(1))) == 9

    def test_a_builtin(self, kernel: Kernel) -> None:
        assert kernel.call(os.getpid) == kernel.pid

    def test_an_instance_of_a_class_of_the_test_module(self, kernel: Kernel) -> None:
        assert kernel.call(lambda point: point.x + 1, Point(1)) == 2

    def test_results_are_python_objects(self, kernel: Kernel) -> None:
        assert kernel.call(lambda: {(1, 2): {3, 4}, "set": frozenset([5])}) == {(1, 2): {3, 4}, "set": frozenset([5])}

    def test_state_of_the_process_stays(self, kernel: Kernel) -> None:
        def remember() -> None:
            os.environ["REMEMBERED"] = "yes"

        kernel.call(remember)
        assert kernel.execute("import os; os.environ['REMEMBERED']").value == "yes"


class TestFunctionsThatDoNot:
    def test_what_cannot_be_pickled_is_one_line(self, kernel: Kernel) -> None:
        lock = threading.Lock()
        with pytest.raises(CallError, match=r"^.*<lambda> can't be sent \(TypeError: .*lock.*\): take locks.*$"):
            kernel.call(lambda: lock)
        assert kernel.execute("1").value == 1

    def test_an_error_is_named_and_shows_its_traceback(self, kernel: Kernel) -> None:
        with pytest.raises(CallError, match="raised IndexError: list index out of range\nTraceback") as caught:
            kernel.call(lambda: [][1])
        assert caught.value.error is not None
        assert caught.value.error.type == "IndexError"
        assert kernel.is_alive

    def test_a_result_that_cannot_be_pickled_is_an_error(self, kernel: Kernel) -> None:
        with pytest.raises(CallError, match="raised TypeError: .*lock"):
            kernel.call(threading.Lock)

    def test_a_result_that_cannot_be_read_here_is_one_line(self, kernel: Kernel) -> None:
        kernel.execute("import sys, types\nsys.modules['only_there'] = module = types.ModuleType('only_there')")
        kernel.execute("class Odd: pass\nOdd.__module__ = 'only_there'\nmodule.Odd = Odd")

        def make() -> object:
            import importlib

            return importlib.import_module("only_there").Odd()

        with pytest.raises(
            CallError, match=r"^the result can't be read here \(ModuleNotFoundError.*\): return plain data$"
        ):
            kernel.call(make)

    def test_arguments_that_are_too_large_are_refused(self, kernel: Kernel) -> None:
        with pytest.raises(TooLargeError, match="pass large data through a file"):
            kernel.call(len, bytes(60 << 20))
        assert kernel.call(len, b"123") == 3

    def test_a_result_that_is_too_large_is_an_error(self, kernel: Kernel) -> None:
        with pytest.raises(CallError, match="its result is .* bytes: return less"):
            kernel.call(lambda: bytes(60 << 20))
        assert kernel.call(len, b"123") == 3

    def test_a_function_that_kills_is_named(self, kernel: Kernel) -> None:
        def deadly() -> None:
            os._exit(5)

        with pytest.raises(KernelDied, match=r"exit code 5 (.|\n)*call of .*deadly"):
            kernel.call(deadly)
