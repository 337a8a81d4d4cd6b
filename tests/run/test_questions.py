"""What a kernel asks, and what is answered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, cast

import pytest

from pytest_tfkernel.processes.wire import ChannelTornError
from pytest_tfkernel.run.questions import Questions
from pytest_tfkernel.run.typed import TypedLines

NAME = {"prompt": "name? ", "password": False}
SECRET = {"prompt": "secret? ", "password": True}


class Told:
    """Stands for a life; keeps what it is sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def send(self, message: dict[str, Any]) -> int:
        assert message["kind"] == "input"
        self.texts.append(message["text"])
        return 1


class Torn(Told):
    """One that has closed its end."""

    def send(self, message: dict[str, Any]) -> int:
        raise ChannelTornError("gone")


class Desk:
    """Questions, with what is typed and what is shown."""

    def __init__(self, descriptor: int, life: Told) -> None:
        self.said: list[tuple[int, str]] = []
        self.life = life
        self.questions = Questions(TypedLines(descriptor), lambda *said: self.said.append(said))

    def answer(self) -> str | None:
        shown = self.questions.answer(cast("Any", self.life))
        return None if shown is None else shown["content"]["text"]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    os.close(ends[0])


def test_a_line_answers_the_open_question_and_no_other(pipe: tuple[int, int]) -> None:
    desk = Desk(pipe[0], Told())
    os.write(pipe[1], b"Ann\n")
    assert desk.answer() is None
    desk.questions.ask(NAME)
    assert [desk.answer(), desk.answer()] == ["name? Ann\n", None]
    desk.questions.ask(SECRET)
    assert desk.answer() is None
    os.write(pipe[1], b"hidden\n")
    assert desk.answer() == "secret? ········\n"
    desk.questions.ask(NAME)
    os.close(pipe[1])
    assert desk.answer() == "name? \n"
    assert desk.life.texts == ["Ann", "hidden", "\x04"]
    assert desk.said == [(1, "name? "), (2, "secret? "), (1, "name? ")]


def test_an_interrupted_question_has_no_answer(pipe: tuple[int, int]) -> None:
    desk = Desk(pipe[0], Told())
    desk.questions.ask(NAME)
    desk.questions.drop()
    os.write(pipe[1], b"late\n")
    os.close(pipe[1])
    assert desk.answer() is None
    assert desk.life.texts == []


def test_a_kernel_that_is_gone_is_none_of_its_affairs(pipe: tuple[int, int]) -> None:
    desk = Desk(pipe[0], Torn())
    desk.questions.ask(NAME)
    os.write(pipe[1], b"Ann\n")
    os.close(pipe[1])
    assert desk.answer() == "name? Ann\n"


def test_the_end_of_a_hidden_line_is_shown() -> None:
    ours, theirs = os.openpty()
    desk = Desk(theirs, Told())
    desk.questions.ask(SECRET)
    os.write(ours, b"hidden\n")
    assert desk.answer() == "secret? ········\n"
    assert desk.said[-1] == (2, "\n")
    os.close(ours)
    os.close(theirs)
