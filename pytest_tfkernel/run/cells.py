"""Cells in a kernel of Jupyter's, one after the other: what they show comes as it comes."""

from __future__ import annotations

import itertools
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.processes import PostMortem
from pytest_tfkernel.processes.waits import Event, monotonic
from pytest_tfkernel.processes.wire import ChannelLateError, ChannelTornError, Message
from pytest_tfkernel.run.blows import Blow
from pytest_tfkernel.run.heard import HeardSignals
from pytest_tfkernel.run.notebooks import ShownFile
from pytest_tfkernel.run.questions import Questions
from pytest_tfkernel.run.script import Watcher
from pytest_tfkernel.run.typed import TypedLines

# How often we look for what was shown: a host writes it to a file.
_LOOK_SECONDS = 0.05
_FRAME_SECONDS = 10.0
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class CellOutcome:
    """What became of one cell: an error, or a death, or neither. `is_stopped`: a person wants no more of them."""

    error: CellError | None = None
    post_mortem: PostMortem | None = None
    is_stopped: bool = False


class CellPlayer:
    """Plays cells in one life after the other. `heard` is listening; `folder` is for files of ours.

    `argv` is what cells find in `sys.argv`; None leaves it as it is.
    """

    def __init__(
        self, heard: HeardSignals, folder: Path, timeout: float, blow: Blow | None, argv: list[str] | None = None
    ) -> None:
        self._heard = heard
        self._folder = folder
        self._numbers = itertools.count(1)
        self._end = monotonic() + timeout
        self._timeout = timeout
        self._blow = blow
        self._began = monotonic()
        self._look_at = 0.0
        self._argv = argv
        # The last one that has been told.
        self._told: Life | None = None
        self._questions = Questions(TypedLines(), _print)
        self.struck = False
        self.interrupts = 0
        # Nothing more is wanted: by a person, or since the time is up.
        self.is_stopped = False
        # The process was ended here; it may be still about to die.
        self._has_ended = False

    def play(self, life: Life, cell: str, watcher: Watcher) -> tuple[CellOutcome, ShownFile]:
        """Run one cell."""
        shown = ShownFile(self._folder / f"shown-{next(self._numbers)}")
        life.last_cell = cell
        self._has_ended = False
        try:
            number = life.send(self._request(life, cell, shown))
        except (ValueError, ChannelTornError) as refused:
            return CellOutcome(CellError("TooLarge", str(refused), "")), shown
        try:
            reply = self._await(life, number, shown, watcher)
        finally:
            self._questions.drop()
        post_mortem = life.bury() if reply is None else None
        _pass_on(shown)
        error = CellError(**reply["error"]) if reply is not None and reply["error"] is not None else None
        return CellOutcome(error, post_mortem, self.is_stopped), shown

    def _request(self, life: Life, cell: str, shown: ShownFile) -> Message:
        request = {"kind": "execute", "cell": cell, "interactive": True, "outputs": str(shown.path), "asks": True}
        if self._argv is None or self._told is life:
            return request
        self._told = life
        return {**request, "argv": self._argv}

    def _await(self, life: Life, number: int, shown: ShownFile, watcher: Watcher) -> Message | None:
        self._look_at = 0.0
        while True:
            event = life.wait(_LOOK_SECONDS)
            _pass_on(shown)
            self._mind_the_rest(life, watcher)
            # What a channel says that closes now isn't why it has ended.
            if event is Event.DEATH or self._has_ended:
                return None
            self._answer(life, shown)
            if event is not Event.READABLE:
                continue
            try:
                message = life.receive(_FRAME_SECONDS)
            except ChannelLateError:
                message = None
            if message is None:
                life.closing()
                return None
            if message["kind"] == "failed":
                life.end(f"it was ended, since {message['error']}")
                return None
            if message["kind"] == "input":
                _pass_on(shown)
                self._questions.ask(message)
                self._answer(life, shown)
            elif message.get("id") == number:
                return message

    def _mind_the_rest(self, life: Life, watcher: Watcher) -> None:
        """What isn't the kernel's own: looks, signals, and the time."""
        now = monotonic()
        if now >= self._look_at:
            self._look_at = now + watcher.look(life)
        for one in self._heard.take():
            self._signal(life, one, watcher)
        self._mind_the_time(life, now, watcher)

    def _answer(self, life: Life, shown: ShownFile) -> None:
        """Answer its question, if there is one and a line has come."""
        said = self._questions.answer(life)
        if said is not None:
            shown.messages.append(said)

    def _signal(self, life: Life, number: int, watcher: Watcher) -> None:
        self.interrupts += 1
        if number == signal.SIGINT:
            life.interrupt()
        elif number == signal.SIGQUIT:
            self.is_stopped = True
            watcher.last_look(life)
            life.dump_stacks()
            self._end_it(life, "it was ended, since Ctrl-\\ asked for that")
        else:
            self.is_stopped = True
            life.signal(number)

    def _mind_the_time(self, life: Life, now: float, watcher: Watcher) -> None:
        blow = self._blow
        if blow is not None and blow.seconds is not None and not self.struck and now >= self._began + blow.seconds:
            self.struck = True
            blow.strike(life)
        if now >= self._end:
            self._end = float("inf")
            self.is_stopped = True
            watcher.last_look(life)
            life.dump_stacks()
            self._end_it(life, f"it ran longer than {self._timeout:g} s, so it was ended")

    def _end_it(self, life: Life, why: str) -> None:
        self._has_ended = True
        life.end(why, deadline=True)


def _pass_on(shown: ShownFile) -> None:
    """Print what a terminal can show of it."""
    for one in shown.follow():
        content = one["content"]
        if one["kind"] == "stream":
            _print(2 if content.get("name") == "stderr" else 1, str(content.get("text", "")))
        elif one["kind"] == "error":
            _print(2, _COLOURS.sub("", "\n".join(map(str, content.get("traceback", [])))) + "\n")
        elif one["kind"] in ("execute_result", "display_data", "update_display_data"):
            text = content.get("data", {}).get("text/plain")
            if text is not None:
                _print(1, f"{text}\n")


def _print(descriptor: int, text: str) -> None:
    data = text.encode("utf-8", "backslashreplace")
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        return  # nobody reads it; the copy has it
