"""What a script prints, passed on: all of it, to readers who are slow or gone."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

import pytest

from pytest_tfkernel.run.streams import KEPT_BYTES, Stream


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for one in (reader, writer):
        try:
            os.close(one)
        except OSError:
            continue


def test_all_of_it_comes_in_its_order(pipe: tuple[int, int]) -> None:
    stream = Stream(pipe[1])
    os.write(stream.writer, b"one ")
    stream.move()
    stream.move()
    os.write(stream.writer, b"two")
    stream.hand_over()
    stream.finish()
    assert os.read(pipe[0], 100) == b"one two"
    assert (stream.tail, stream.waits_for) == (("one two", 0), None)


def test_what_comes_before_the_last_words_is_counted(tmp_path: os.PathLike[str]) -> None:
    target = os.open(os.devnull, os.O_WRONLY)
    stream = Stream(target)
    data = b"x" * (2 * KEPT_BYTES) + b"end"
    os.write(stream.writer, data)
    stream.finish()
    os.close(target)
    text, cut = stream.tail
    assert (len(text), cut) == (KEPT_BYTES, len(data) - KEPT_BYTES)
    assert text.endswith("end")


def test_a_reader_that_is_slow_is_waited_for_and_nothing_more_is_read_meanwhile(pipe: tuple[int, int]) -> None:
    stream = Stream(pipe[1])
    os.write(stream.writer, b"x")
    assert stream.waits_for is not None
    assert stream.waits_for[0] == stream.reader
    stream.move()
    assert stream.waits_for[0] == pipe[1]
    stream.close()


def test_where_nobody_reads_the_writer_is_told(pipe: tuple[int, int]) -> None:
    stream = Stream(pipe[1])
    os.close(pipe[0])
    writer = os.dup(stream.writer)
    os.write(writer, b"x")
    stream.hand_over()
    stream.move()
    stream.move()
    assert stream.waits_for is None
    with pytest.raises(BrokenPipeError):
        os.write(writer, b"y")
    os.close(writer)
    stream.finish()


def test_a_child_that_keeps_its_end_and_writes_on_holds_up_nobody() -> None:
    target = os.open(os.devnull, os.O_WRONLY)
    stream = Stream(target)
    os.write(stream.writer, b"left open")
    # Its writer is open still.
    stream.finish()
    os.close(target)
    assert stream.tail == ("left open", 0)


def test_a_reader_that_does_not_block_has_all_of_it(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    while True:
        try:
            os.write(pipe[1], b"full" * 1024)
        except BlockingIOError:
            break
    stream = Stream(pipe[1])
    os.write(stream.writer, b"x")
    stream.move()
    assert stream.waits_for == (pipe[1], select.POLLOUT)
    stream.move()
    assert stream.waits_for == (pipe[1], select.POLLOUT)
    os.read(pipe[0], 1 << 16)
    stream.finish()
    assert os.read(pipe[0], 1 << 16).endswith(b"x")
