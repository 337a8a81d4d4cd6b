"""Which process a test gets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation.forks import CannotBeginError
from pytest_tfkernel.plugin.isolation.supply import Supply, kinship
from pytest_tfkernel.plugin.isolation.wishes import IsolationWishes

ITEM: Any = SimpleNamespace(nodeid="test_a.py::test_one", path="test_a.py")
OTHER: Any = SimpleNamespace(nodeid="test_b.py::test_two", path="test_b.py")
NONE = IsolationWishes()


class Nursery:
    """Makes processes that only note whether they were buried."""

    def __init__(self, *, forks: bool = True) -> None:
        self.forks = forks
        self.is_gone = False
        self.alive: list[int] = []
        self.count = 0

    def forks_soon(self, _path: str, _wishes: IsolationWishes) -> bool:
        return self.forks

    def process(self, path: str, _: IsolationWishes) -> tuple[Any, str]:
        if path == "test_never.py":
            raise CannotBeginError("never")
        self.count += 1
        number = self.count
        self.alive.append(number)
        life = SimpleNamespace(is_alive=True)
        return SimpleNamespace(number=number, life=life, bury=lambda: self.alive.remove(number)), "forked"


@pytest.fixture
def nursery() -> Nursery:
    return Nursery()


@pytest.fixture
def supply(nursery: Any) -> Supply:
    return Supply(nursery)


def take(supply: Supply, item: Any) -> Any:
    peer, how = supply.take(item, kinship(item, NONE))
    assert how == "forked"
    return peer


def test_the_one_that_was_made_ahead(supply: Supply, nursery: Nursery) -> None:
    supply.make_ahead(ITEM, kinship(ITEM, NONE))
    assert nursery.count == 1
    assert take(supply, ITEM).number == 1
    assert take(supply, ITEM).number == 2
    assert [made.path for made in supply.made] == ["test_a.py", "test_a.py"]


def test_one_that_was_ended_meanwhile_is_none(supply: Supply, nursery: Nursery) -> None:
    supply.make_ahead(ITEM, kinship(ITEM, NONE))
    ahead: Any = supply._ahead
    ahead[1].life.is_alive = False
    assert take(supply, ITEM).number == 2
    assert nursery.alive == [2]


def test_one_whose_parent_was_ended_is_none_though_it_still_lives(supply: Supply, nursery: Nursery) -> None:
    supply.make_ahead(ITEM, kinship(ITEM, NONE))
    nursery.is_gone = True
    assert take(supply, ITEM).number == 2
    assert nursery.alive == [2]


def test_one_that_is_for_another_test_is_none(supply: Supply, nursery: Nursery) -> None:
    supply.make_ahead(ITEM, kinship(ITEM, NONE))
    assert take(supply, OTHER).number == 2
    assert nursery.alive == [2]
    supply.make_ahead(ITEM, kinship(ITEM, NONE))
    wished = IsolationWishes(cold=True)
    taken: Any = supply.take(ITEM, kinship(ITEM, wished))[0]
    assert taken.number == 4


def test_one_at_a_time_and_only_where_it_is_a_fork(supply: Supply, nursery: Nursery) -> None:
    for item in (ITEM, OTHER):
        supply.make_ahead(item, kinship(item, NONE))
    assert nursery.count == 1
    supply.close()
    assert nursery.alive == []
    nursery.forks = False
    supply.make_ahead(ITEM, kinship(ITEM, NONE))
    assert nursery.count == 1


def test_what_prevents_it_is_told_to_whoever_needs_it(supply: Supply) -> None:
    never: Any = SimpleNamespace(nodeid="test_never.py::test", path="test_never.py")
    supply.make_ahead(never, kinship(never, NONE))
    with pytest.raises(CannotBeginError, match="never"):
        supply.take(never, kinship(never, NONE))
