"""Lines of standard input, one for each question, whatever it is."""

from __future__ import annotations

import os
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_tfkernel.run.typed import END, TypedLines


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_each_question_has_a_line_and_the_rest_is_kept(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    lines = TypedLines(reader)
    assert lines.take() is None
    os.write(writer, b"one\r\n\nth")
    assert [lines.take() for _ in range(3)] == ["one", "", None]
    os.write(writer, "rée\n".encode() + b"\xff\n")
    assert [lines.take() for _ in range(3)] == ["thrée", "\\xff", None]


def test_at_its_end_there_is_the_last_line_and_then_none(tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(b"one\nlast")
    descriptor = os.open(tmp_path / "given", os.O_RDONLY)
    lines = TypedLines(descriptor)
    assert [lines.take() for _ in range(4)] == ["one", "last", END, END]
    os.close(descriptor)
    # What can't be read has nothing to say.
    assert [TypedLines(descriptor).take(), TypedLines(1 << 20).take()] == [END, END]


def test_one_that_does_not_block_has_nothing_yet(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_tfkernel.run import typed

    os.set_blocking(pipe[0], False)
    # Another reader was faster.
    monkeypatch.setattr(typed, "_has_news", lambda _: True)
    assert TypedLines(pipe[0]).take() is None


def test_a_line_without_an_end_is_one_when_it_is_too_long(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_tfkernel.run import typed

    monkeypatch.setattr(typed, "_LONGEST", 4)
    os.write(pipe[1], b"abcde\n")
    lines = TypedLines(pipe[0])
    assert [lines.take(), lines.take()] == ["abcde", None]


class TestATerminal:
    @pytest.fixture
    def terminal(self) -> Iterator[tuple[int, int]]:
        ours, theirs = os.openpty()
        yield ours, theirs
        os.close(ours)
        os.close(theirs)

    def test_goes_on_after_its_end(self, terminal: tuple[int, int]) -> None:
        ours, theirs = terminal
        lines = TypedLines(theirs)
        os.write(ours, b"\x04")
        assert lines.take() == END
        os.write(ours, b"on\n")
        assert lines.take() == "on"

    def test_shows_nothing_while_it_is_hidden(self, terminal: tuple[int, int]) -> None:
        ours, theirs = terminal
        tty.setcbreak(theirs)
        before = termios.tcgetattr(theirs)
        before[3] |= termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, before)
        lines = TypedLines(theirs)
        lines.hide()
        assert not termios.tcgetattr(theirs)[3] & termios.ECHO
        os.write(ours, b"secret\n")
        assert lines.take() == "secret"
        assert [lines.show(), lines.show()] == [True, False]
        assert termios.tcgetattr(theirs)[3] & termios.ECHO


def test_what_is_no_terminal_is_not_hidden(pipe: tuple[int, int]) -> None:
    lines = TypedLines(pipe[0])
    lines.hide()
    assert lines.show() is False
