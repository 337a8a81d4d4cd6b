"""The last words of a stream, in a file that doesn't grow."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest

from pytest_tfkernel._child.tails import KEPT_BYTES, Tail


@pytest.fixture
def file() -> Iterator[int]:
    descriptor = os.memfd_create("tail")
    yield descriptor
    os.close(descriptor)


def test_what_is_written_is_there_and_whoever_had_it_before_has_it_still(file: int) -> None:
    beside = io.StringIO()
    tail = Tail(file, beside)
    tail.write("ü\ud800")
    tail.flush()
    assert os.pread(file, 100, 0) == b"\xc3\xbc\\ud800"
    assert beside.getvalue() == "ü\ud800"


def test_a_file_that_would_grow_for_ever_keeps_its_end(file: int) -> None:
    tail = Tail(file)
    for number in range(60000):
        tail.write(f"{number}\n")
    size = os.fstat(file).st_size
    assert KEPT_BYTES <= size <= 9 * KEPT_BYTES
    assert os.pread(file, size, 0).endswith(b"59998\n59999\n")


def test_nothing_that_goes_wrong_is_told_to_the_writer() -> None:
    tail = Tail(1 << 20)
    tail.write("x")
    tail.write(None)  # type: ignore[arg-type]  # as code of the user may
    tail.flush()
