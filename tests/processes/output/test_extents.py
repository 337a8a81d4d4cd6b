"""Places in a file that its writers may empty: they are counted from the first byte ever written."""

from __future__ import annotations

import pytest

from pytest_tfkernel.processes.output.extents import HEAD, Extent

SIZE = len(HEAD)


@pytest.fixture
def extent() -> Extent:
    return Extent(HEAD)


def test_our_own_head_is_no_output(extent: Extent) -> None:
    assert extent.look(SIZE, SIZE, HEAD) is False
    assert (extent.end, extent.offset(0), extent.place(SIZE)) == (0, SIZE, 0)
    assert extent.look(SIZE + 5, SIZE + 5, HEAD) is False
    assert (extent.end, extent.offset(5), extent.place(SIZE + 5)) == (5, SIZE + 5, 5)


def test_a_file_of_somebody_else_begins_with_its_first_byte() -> None:
    extent = Extent(b"hello wo")
    assert extent.look(11, 11, b"hello wo") is False
    assert (extent.end, extent.offset(0), extent.place(11)) == (11, 0, 11)


class TestWhatWasLost:
    def test_by_a_file_that_is_smaller_is_counted_on(self, extent: Extent) -> None:
        extent.look(SIZE + 10, SIZE + 10, HEAD)
        assert extent.look(3, SIZE + 10, b"abc") is True
        assert extent.end == 13
        # What is lost can't be shown: the first byte that there is stands for it.
        assert [extent.offset(place) for place in (0, 9, 10, 12)] == [0, 0, 0, 2]
        assert extent.place(2) == 12

    def test_by_a_file_that_is_smaller_and_begins_alike_is_counted_on(self, extent: Extent) -> None:
        extent.look(SIZE + 10, SIZE + 10, HEAD)
        assert extent.look(SIZE + 3, SIZE + 10, HEAD) is True
        assert extent.end == 10 + SIZE + 3

    def test_by_another_beginning_is_at_least_one_byte_more(self, extent: Extent) -> None:
        extent.look(SIZE + 4, SIZE + 4, HEAD)
        assert extent.look(SIZE + 6, SIZE + 6, b"x" * SIZE) is True
        # Four before, one at least that nobody saw, and what is there now.
        assert extent.end == 4 + 1 + SIZE + 6

    def test_by_writers_who_stand_beyond_the_end_is_as_much_as_they_wrote(self, extent: Extent) -> None:
        extent.look(SIZE + 4, SIZE + 4, HEAD)
        assert extent.look(0, SIZE + 9, b"") is True
        assert extent.end == 9
        assert extent.look(0, SIZE + 9, b"") is False
        assert extent.end == 9

    def test_is_told_once(self, extent: Extent) -> None:
        extent.look(SIZE + 4, SIZE + 4, HEAD)
        assert [extent.look(2, 2, b"ab"), extent.look(2, 2, b"ab"), extent.look(9, 9, b"abcdefgh")] == [
            True,
            False,
            False,
        ]


def test_places_before_what_there_is_are_its_first(extent: Extent) -> None:
    extent.look(SIZE + 4, SIZE + 4, HEAD)
    assert extent.place(0) == 0
    assert extent.offset(-3) == SIZE
