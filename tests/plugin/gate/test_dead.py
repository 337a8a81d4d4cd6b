"""What is told of isolated tests whose process has died."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.gate.aftermath import Dead, Remains
from pytest_tfkernel.model.resources import Kind, Resource
from pytest_tfkernel.plugin.gate.dead import DeadTests

FILE, SHARED = Resource(Kind.FILE, "/tmp/one"), Resource(Kind.SHARED_MEMORY, "/dev/shm/one", "1")
STRAY = Resource(Kind.SHARED_MEMORY, "/dev/shm/two", "2")


class DeadProcesses:
    """Has found what it was given."""

    def __init__(self) -> None:
        self.fresh: list[Resource] = []
        self.remains = Remains([FILE, SHARED], [])
        self.blind: dict[Any, None] = {}
        self.fails = False

    def before(self) -> list[Resource]:
        if self.fails:
            raise OSError("no room")
        found, self.fresh = self.fresh, []
        return found

    def after(self, _: Dead) -> Remains:
        self.before()
        return self.remains

    def is_left(self, one: Resource) -> bool:
        return one is not FILE


@pytest.fixture
def seen() -> DeadProcesses:
    return DeadProcesses()


@pytest.fixture
def dead(seen: Any) -> DeadTests:
    made = DeadTests("gw0", (), alone=True)
    made._aftermath = seen
    return made


def item(name: str, *allowed: str) -> Any:
    mark = pytest.mark.tfkernel_allow_leak(*allowed, reason="known").mark
    node = SimpleNamespace(nodeid=name)
    return SimpleNamespace(nodeid=name, iter_markers_with_node=lambda _: [(node, mark)] if allowed else [])


DEAD = Dead({}, ())


def test_what_is_allowed_is_not_told(dead: DeadTests) -> None:
    dead.begin(item("one"))
    first = dead.judge(item("one"), DEAD)
    assert [(one.test, one.left, one.excused) for one in first] == [("one", (FILE, SHARED), "")]
    second = dead.judge(item("two", "shared-memory"), DEAD)
    assert [(one.number, one.left) for one in second] == [(1, (FILE,))]
    assert dead.judge(item("three", "temporary-file", "shared-memory"), DEAD) == []
    assert {(one.node, one.kind) for one in dead.tally().used} == {
        ("two", "shared-memory"),
        ("three", "temporary-file"),
        ("three", "shared-memory"),
    }


def test_what_came_in_earlier_tests_is_told_only_when_their_process_could_not(
    dead: DeadTests, seen: DeadProcesses
) -> None:
    dead.begin(item("one"))
    seen.fresh = [STRAY]
    dead.begin(item("two"))
    dead.ended()
    seen.fresh = [SHARED, FILE]
    dead.begin(item("three", "temporary-file"))
    seen.remains = Remains([], [STRAY])
    dead.judge(item("three"), DEAD)
    assert [(one.thing, one.tests) for one in dead.tally().strays] == [(SHARED, ("two",)), (STRAY, ("three",))]


def test_what_goes_wrong_is_counted(dead: DeadTests, seen: DeadProcesses) -> None:
    seen.fails = True
    dead.begin(item("one"))
    assert dead.judge(item("one"), DEAD) == []
    assert dict(dead.tally().blind) == {
        "the start of one: OSError: no room": 1,
        "what one left: OSError: no room": 1,
    }
