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


def test_a_reason_that_many_files_share_is_one_line() -> None:
    made = [Made(f"test_{number}.py", "cold: threads", 0.1) for number in range(6)]
    count = Count((COLD, FORKED, *made, made[3], Made("test_c.py", "cold: other", 0)), tests=9)
    assert list(lines(count, is_verbose=False))[1:] == [
        "  test_b.py and 6 more files: cold: threads (8 processes)",
        "  test_c.py: cold: other",
    ]
    assert "  test_3.py: cold: threads (2 processes)" in lines(count, is_verbose=True)
    few = Count((COLD, *made[:4]), tests=5)
    assert len(list(lines(few, is_verbose=False))) == 6


def test_workers_are_added_up() -> None:
    one, two = Count((FORKED,), tests=1), Count((COLD,), tests=1, deaths=1)
    assert one.merged(two) == Count((FORKED, COLD), tests=2, deaths=1)
