"""Numbers that mark whose a process is: in a row, and others for everybody."""

from __future__ import annotations

import resource

import pytest

from pytest_tfkernel._child.leases import Numbers


def test_they_come_in_a_row() -> None:
    numbers = Numbers(1, 1 << 24, resource.RLIM_INFINITY)
    first = numbers.new()
    assert [numbers.new(), numbers.new(5), numbers.new()] == [first + 1, first + 2, first + 7]


def test_two_sessions_give_different_ones() -> None:
    given = {Numbers(1 << 41, 1 << 40, resource.RLIM_INFINITY).new() for _ in range(20)}
    assert len(given) == 20
    assert min(given) >= 1 << 41


def test_only_what_was_given_is_known() -> None:
    numbers = Numbers(1, 1 << 24, resource.RLIM_INFINITY)
    first = numbers.new(3)
    known = [lease for lease in (None, first - 1, first, first + 2, first + 3) if numbers.has_given(lease)]
    assert known == [first, first + 2]


@pytest.mark.parametrize("hard", [1 << 25, 1 << 30, 1 << 61, (1 << 63) - 1])
def test_all_of_them_fit_the_hard_limit_where_there_is_room(hard: int) -> None:
    numbers = Numbers(1, 1 << 24, hard)
    assert numbers.is_room
    assert 0 < numbers.new(1 << 24) <= numbers.new() <= hard


@pytest.mark.parametrize("hard", [0, 1, 1 << 24, (1 << 25) - 1])
def test_without_room_it_says_so(hard: int) -> None:
    numbers = Numbers(1, 1 << 24, hard)
    assert not numbers.is_room
    assert numbers.new() > 0
