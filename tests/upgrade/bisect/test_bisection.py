"""The search, over histories that are known."""

from __future__ import annotations

import itertools
import math

import pytest

from pytest_tfkernel.upgrade.bisect.bisection import Boundary, CandidateLook, Search

LOOKS = {"r": CandidateLook.AS_REF, "c": CandidateLook.AS_CHANGED, "o": CandidateLook.OTHER, "s": CandidateLook.SKIPPED}


def searched(history: str) -> tuple[Search, Boundary, list[int]]:
    """Search a history, a letter for each candidate; also what was tried between the ends."""
    search = Search(len(history))
    tried: list[int] = []
    while (place := search.next()) is not None:
        assert place not in {0, len(history) - 1, *tried}
        tried.append(place)
        search.note(place, LOOKS[history[place]])
    return search, search.boundary(), tried


@pytest.mark.parametrize("count", range(2, 40))
def test_one_change_is_found_wherever_it_is_in_few_tries(count: int) -> None:
    for first in range(1, count):
        search, found, tried = searched("r" * first + "c" * (count - first))
        assert (found.last, found.first, found.between, found.odd) == (first - 1, first, (), ())
        assert len(tried) + 2 <= search.most == math.ceil(math.log2(count)) + 2
        assert found.untried == count - 2 - len(tried)


def test_what_cannot_be_tried_is_named_where_it_matters() -> None:
    found = searched("rrsscc")[1]
    assert (found.last, found.first, found.between) == (1, 4, (2, 3))
    found = searched("rsrccsc")[1]
    assert (found.last, found.first, found.between) == (2, 3, ())
    found = searched("rssssc")[1]
    assert (found.last, found.first, found.between) == (0, 5, (1, 2, 3, 4))


@pytest.mark.parametrize("history", ["".join(one) for one in itertools.product("rcos", repeat=4)])
def test_whatever_the_history_both_sides_were_seen_and_all_between_could_not_be(history: str) -> None:
    history = f"r{history}c"
    found, tried = searched(history)[1:]
    assert history[found.last] == "r"
    assert history[found.first] in "co"
    assert {history[place] for place in range(found.last + 1, found.first)} <= {"s"}
    assert set(found.between) == set(range(found.last + 1, found.first))
    # What was seen and fits no single change is told.
    odd = {place for place in tried if place < found.last and history[place] in "co"}
    odd |= {place for place in [*tried, found.first] if place > found.first and history[place] in "ro"}
    assert set(found.odd) == odd


def test_a_history_that_is_not_monotone_is_seen_with_what_is_left_of_the_budget() -> None:
    found = searched("rrcrc")[1]
    assert (found.last, found.first) == (1, 2)
    assert found.odd == (3,)


def test_less_than_two_have_nothing_between() -> None:
    with pytest.raises(ValueError, match="less than two"):
        Search(1)
    assert searched("rc")[1] == Boundary(0, 1, (), (), 0)
