"""Descriptors that grow in number: told at the end, with whose turn they came in."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_tfkernel.gate.descriptors import Descriptors


def files(first: int, last: int, target: str = "/tmp/a") -> Mapping[str, str]:
    return {str(number): target for number in range(first, last + 1)}


def lines(opened: Descriptors, handles: Mapping[str, str]) -> list[str]:
    return list(opened.lines(handles))


def test_many_are_told_with_what_most_of_them_lead_to_and_whose_they_are() -> None:
    opened = Descriptors()
    opened.note(files(3, 12), files(3, 12), "test_one")
    handles = {**files(3, 12), **files(13, 18, "pipe:[1]")}
    opened.note(files(13, 18, "pipe:[1]"), handles, "test_two")
    (line,) = lines(opened, handles)
    assert line.startswith("tests have opened 16 descriptors in pytest's process that nobody has closed")
    assert line.endswith(", such as /tmp/a; they were opened in test_one (10), test_two (6)")


def test_few_are_not() -> None:
    opened = Descriptors()
    opened.note(files(3, 17), files(3, 17), "test_one")
    assert lines(opened, files(3, 17)) == []


def test_what_was_closed_or_came_outside_of_tests_does_not_count() -> None:
    opened = Descriptors()
    opened.note(files(3, 40), files(3, 40), "test_one")
    assert lines(opened, files(3, 10)) == []
    opened.note(files(50, 90), {**files(3, 10), **files(50, 90)}, "")
    assert lines(opened, {**files(3, 10), **files(50, 90)}) == []


def test_another_file_at_a_number_is_another_one() -> None:
    opened = Descriptors()
    opened.note(files(3, 40), files(3, 40), "test_one")
    assert lines(opened, files(3, 40, "/tmp/b")) == []


def test_one_that_was_closed_at_the_end_of_a_later_turn_is_forgotten() -> None:
    opened = Descriptors()
    opened.note(files(3, 40), files(3, 40), "test_one")
    opened.note(files(50, 50), files(50, 50), "test_two")
    # The same numbers and files, opened by nobody that we know of.
    assert lines(opened, files(3, 40)) == []


def test_the_standard_ones_are_those_of_pytest() -> None:
    opened = Descriptors()
    opened.note(files(0, 17), files(0, 17), "test_one")
    assert lines(opened, files(0, 17)) == []
    opened.note(files(18, 18), files(0, 18), "test_one")
    assert "opened 16 descriptors" in lines(opened, files(0, 18))[0]


def test_of_many_owners_the_first_are_named() -> None:
    opened = Descriptors()
    handles: dict[str, str] = {}
    for number in range(3, 24):
        fresh = files(number, number)
        handles |= fresh
        opened.note(fresh, handles, f"test_{number % 7}")
    (line,) = lines(opened, handles)
    assert line.endswith(
        "they were opened in test_3 (3), test_4 (3), test_5 (3), test_6 (3), test_0 (3) and 2 more",
    )


def test_a_name_that_breaks_a_line_does_not() -> None:
    opened = Descriptors()
    opened.note(files(3, 20, "/tmp/a\nb"), files(3, 20, "/tmp/a\nb"), "test_one")
    assert "such as /tmp/a\\nb;" in lines(opened, files(3, 20, "/tmp/a\nb"))[0]
