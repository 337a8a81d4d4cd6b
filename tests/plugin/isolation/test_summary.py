"""How isolation tells what it did."""

from __future__ import annotations

from pytest_tfkernel.plugin.isolation.summary import Count, Made, lines

FORKED, COLD = Made("test_a.py", "forked", 0.25), Made("test_b.py", "cold: threads", 1.5)


def test_without_a_test_there_is_nothing_to_tell() -> None:
    assert list(lines(Count(), is_verbose=True)) == []


def test_the_first_line_counts() -> None:
    count = Count((FORKED, COLD), tests=7, deaths=1)
    assert next(lines(count, is_verbose=False)) == (
        "7 tests in 2 processes (1 forked, 1 cold; 1.8 s to start them), 1 death"
    )
    assert next(lines(Count((FORKED,), tests=1), is_verbose=False)).startswith("1 test in 1 process (1 forked, 0 cold")


def test_why_some_were_cold_is_always_told() -> None:
    count = Count((FORKED, COLD, COLD), tests=3)
    assert list(lines(count, is_verbose=False))[1:] == ["  test_b.py: cold: threads (2 processes)"]
    assert "  test_a.py: forked" in lines(count, is_verbose=True)


def test_workers_are_added_up() -> None:
    one, two = Count((FORKED,), tests=1), Count((COLD,), tests=1, deaths=1)
    assert one.merged(two) == Count((FORKED, COLD), tests=2, deaths=1)
