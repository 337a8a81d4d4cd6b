"""What a fixture's value holds, and what only happens to be the same number."""

from __future__ import annotations

import asyncio
import os
import subprocess
import types
from collections import UserDict, deque
from collections.abc import Callable

import pytest

from pytest_tfkernel.gate.holding import attributes, holds, reaches

PID = 4711


class Slots:
    __slots__ = ("process",)

    def __init__(self, process: object) -> None:
        self.process = process


class Odd(dict[str, object]):
    """What is asked for by a test of its own is no business of the gate."""

    def items(self) -> object:  # type: ignore[override]
        raise RuntimeError


@pytest.fixture
def process() -> subprocess.Popen[bytes]:
    """One that has the pid, and was never started."""
    process: subprocess.Popen[bytes] = subprocess.Popen.__new__(subprocess.Popen)
    process.pid, process.returncode = PID, 0
    return process


def factory(made: list[object]) -> Callable[[], None]:
    def make() -> None:
        made.append(1)

    return make


WAYS: dict[str, Callable[[subprocess.Popen[bytes]], object]] = {
    "the pid": lambda process: process.pid,
    "the process": lambda process: process,
    "a short list": lambda process: [1, process.pid],
    "a list of processes": lambda process: deque([process]),
    "an attribute": lambda process: types.SimpleNamespace(deeper=types.SimpleNamespace(worker_pid=process.pid)),
    "slots": Slots,
    "a key": lambda process: {process.pid: None},
    "a dict": lambda process: UserDict({"a": Odd(pid=process.pid)}),
    "a closure": lambda process: factory([process]),
    "a default": lambda process: lambda one=process: one,
    "a method": lambda process: process.poll,
}


@pytest.mark.parametrize("hold", WAYS.values(), ids=WAYS)
def test_a_process_is_held_by(
    process: subprocess.Popen[bytes], hold: Callable[[subprocess.Popen[bytes]], object]
) -> None:
    assert holds(hold(process), PID)
    assert not holds(hold(process), PID + 1)


@pytest.mark.parametrize(
    "value",
    [
        list(range(PID + 1000)),
        {"count": PID, **{str(number): number for number in range(PID + 1)}},
        dict.fromkeys(range(PID + 1)),
        types.SimpleNamespace(port=PID, rows=tuple(range(PID + 1))),
        float(PID),
        True,
        None,
        os,
        test_a_process_is_held_by,
        asyncio.get_event_loop_policy(),
    ],
    ids=["numbers", "dict", "keys", "attributes", "float", "bool", "none", "module", "function", "loops"],
)
def test_a_number_that_is_the_same_is_no_process(value: object) -> None:
    assert not holds(value, PID)


def test_it_is_searched_for_a_short_while_only() -> None:
    endless: list[object] = []
    for _ in range(100_000):
        endless = [endless, object()]
    assert not holds(endless, PID)
    while endless:
        endless = endless[0]  # type: ignore[assignment]


def test_what_pytest_has_of_its_own_leads_nowhere(
    request: pytest.FixtureRequest, process: subprocess.Popen[bytes]
) -> None:
    assert request.getfixturevalue("process") is process
    assert not holds(lambda: request, PID)
    assert not holds([request.node], PID)


@pytest.mark.parametrize("made", [list, dict.fromkeys], ids=["list", "keys"])
@pytest.mark.parametrize(("count", "held"), [(15, True), (16, False)])
def test_among_more_than_sixteen_it_may_be_any_number(made: Callable[[object], object], count: int, held: bool) -> None:
    assert holds(made([PID, *range(count)]), PID) is held


@pytest.mark.parametrize(("depth", "held"), [(5000, True), (5001, False)])
def test_so_many_things_are_looked_at(depth: int, held: bool) -> None:
    value: list[object] = [PID]
    for _ in range(depth - 1):
        value = [value]
    assert holds(value, PID) is held
    while isinstance(value[0], list):
        value = value[0]


def test_an_object_is_reached_by_itself_and_not_by_its_like() -> None:
    wanted = [1]
    assert reaches({"deeper": (0, wanted)}, wanted)
    assert not reaches({"deeper": (0, [1])}, wanted)
    assert not reaches((), wanted)


class Empty:
    pass


@pytest.mark.parametrize("one", [object(), Slots(1), Empty(), Empty, 1], ids=lambda one: type(one).__name__)
def test_what_has_no_attributes_of_its_own_has_none(one: object) -> None:
    assert attributes(one) is None


def test_attributes_are_those_of_the_object() -> None:
    assert attributes(types.SimpleNamespace(pid=1)) == {"pid": 1}
