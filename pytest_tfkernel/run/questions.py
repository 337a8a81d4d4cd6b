"""A kernel's questions to whoever sits before it (`input`, `getpass`, a debugger), answered from standard input."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.processes.wire import ChannelTornError, Message
from pytest_tfkernel.run.notebooks import ShownMessage
from pytest_tfkernel.run.typed import END, TypedLines

_HIDDEN = "········"


class Questions:
    """Of one kernel after the other; `say` gets a descriptor and a text. One is open at a time."""

    def __init__(self, lines: TypedLines, say: Callable[[int, str], None]) -> None:
        self._lines = lines
        self._say = say
        self._open: Message | None = None

    def ask(self, question: Message) -> None:
        """Show a new one. An older one is of no use any more."""
        self.drop()
        self._open = question
        if question["password"]:
            # As `getpass` does it without a terminal of its own: what goes to stdout may be kept.
            self._lines.hide()
        self._say(2 if question["password"] else 1, question["prompt"])

    def answer(self, life: Life) -> ShownMessage | None:
        """Answer the open one if a line has come: what a front end shows of it."""
        question = self._open
        line = self._lines.take() if question is not None else None
        if question is None or line is None:
            return None
        self.drop()
        with contextlib.suppress(ValueError, ChannelTornError):
            life.send({"kind": "input", "text": line})
        said = "" if line == END else _HIDDEN if question["password"] else line
        return {"kind": "stream", "content": {"name": "stdout", "text": f"{question['prompt']}{said}\n"}}

    def drop(self) -> None:
        """Nobody waits for an answer any more."""
        self._open = None
        if self._lines.show():
            # The line's own end wasn't shown.
            self._say(2, "\n")
