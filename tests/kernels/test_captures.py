"""Output in memory that is readable after its writer's death, and doesn't grow."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pytest_tfkernel.kernels.captures import KEPT_BYTES, Capture


@pytest.fixture
def capture() -> Iterator[Capture]:
    capture = Capture("test")
    yield capture
    capture.close()


def test_what_was_written_since_a_mark_is_read(capture: Capture) -> None:
    os.write(capture.descriptor, b"before")
    mark = capture.size()
    os.write(capture.descriptor, b"after")
    assert capture.read(mark, 100) == ("after", 0)
    assert capture.read(0, 7) == ("eafter", 5) or capture.read(0, 7) == ("reafter", 4)


def test_memory_is_given_back_and_the_end_is_kept(capture: Capture) -> None:
    for _ in range(8):
        os.write(capture.descriptor, b"x" * KEPT_BYTES)
    os.write(capture.descriptor, b"end")
    assert os.fstat(capture.descriptor).st_blocks * 512 > 8 * KEPT_BYTES
    assert capture.reclaim()
    assert not capture.reclaim()
    assert os.fstat(capture.descriptor).st_blocks * 512 < 2 * KEPT_BYTES
    text, cut = capture.read(0, 16 * KEPT_BYTES)
    assert len(text) + cut == capture.size()
    assert text.endswith("xend")
    assert "\0" not in text


def test_writers_that_share_it_do_not_overwrite_each_other(capture: Capture) -> None:
    other = os.dup(capture.descriptor)
    os.write(capture.descriptor, b"one ")
    os.write(other, b"two")
    os.close(other)
    assert capture.read(0, 100) == ("one two", 0)


def test_a_writer_that_truncates_does_no_harm(capture: Capture) -> None:
    os.write(capture.descriptor, b"x" * 100)
    mark = capture.size()
    os.ftruncate(capture.descriptor, 0)
    assert capture.read(mark, 100) == ("", 0)
    os.write(capture.descriptor, b"new")
    assert capture.read(0, 100) == ("new", 0)
