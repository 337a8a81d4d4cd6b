"""What a person sees meanwhile: a line on stderr that is written anew, or, where nobody watches, one now and then."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pytest_tfkernel.model.resources import printable

# In a log.
_EACH_SECONDS = 30.0
_ERASE = "\r\x1b[K"
# Where nobody says how wide the terminal is.
_WIDTH = 80


class Progress:
    """Says which steps go on, how far each is, and how long it has taken. `write` takes text for stderr.

    `width` tells how many columns a terminal has now.

    Safe to use from threads.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        watched: bool,
        clock: Callable[[], float] = time.monotonic,
        width: Callable[[], int] = lambda: _WIDTH,
    ) -> None:
        self._write = write
        self._watched = watched
        self._clock = clock
        self._width = width
        self._steps: list[ProgressStep] = []
        self._said = clock()
        self._lock = threading.RLock()

    def begin(self, name: str) -> ProgressStep:
        """A new step."""
        with self._lock:
            step = ProgressStep(self, name, self._clock())
            self._steps.append(step)
            if self._watched:
                self._show()
            else:
                self._said = self._clock()
                self._write(f"upgrade: {printable(name)}\n")
            return step

    def show(self) -> None:
        """Something goes on; in a log it is told now and then."""
        with self._lock:
            if self._watched or self._clock() - self._said >= _EACH_SECONDS:
                self._said = self._clock()
                self._show()

    def end(self, step: ProgressStep) -> None:
        """One is done."""
        with self._lock:
            self._steps.remove(step)
            self.say(step.words(self._clock()))

    def drop(self, step: ProgressStep) -> None:
        """One is over, and nothing came of it."""
        with self._lock:
            self._steps = [one for one in self._steps if one is not step]

    def say(self, words: str) -> None:
        """A line that stays."""
        with self._lock:
            self._write(f"{_ERASE if self._watched else ''}upgrade: {printable(words)}\n")

    def clear(self) -> None:
        """Nothing goes on any more."""
        with self._lock:
            self._steps.clear()
            if self._watched:
                self._write(_ERASE)

    def _show(self) -> None:
        line = f"upgrade: {printable('; '.join(step.words(self._clock()) for step in self._steps))}"
        # A line that is broken can't be written anew.
        self._write(f"{_ERASE}{line[: max(1, self._width() - 1)]}" if self._watched else f"{line}\n")


class ProgressStep:
    """One thing that goes on. A context manager, after which it is told as done, or not at all after an error."""

    def __init__(self, progress: Progress, name: str, began: float) -> None:
        self._progress = progress
        self._name = name
        self._began = began
        # How far it is; asked where it is shown.
        self.detail: Callable[[], str] = str

    def tick(self) -> None:
        """It goes on."""
        self._progress.show()

    def words(self, now: float) -> str:
        """What it is, how far, and how long it has taken."""
        return ", ".join(filter(None, (self._name, self.detail(), f"{now - self._began:.0f} s")))

    def __enter__(self) -> ProgressStep:  # noqa: PYI034 - typing.Self is of Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._progress.end(self)
        else:
            self._progress.drop(self)


def to_stderr() -> Progress:
    """That of this process."""

    def write(text: str) -> None:
        # Nobody may read it any more.
        with contextlib.suppress(OSError):
            os.write(2, text.encode("utf-8", "backslashreplace"))

    def width() -> int:
        with contextlib.suppress(OSError):
            return os.get_terminal_size(2).columns or _WIDTH
        return _WIDTH

    return Progress(write, watched=os.isatty(2), width=width)


@dataclass(frozen=True)
class Far:
    """How far a run of pytest is, in trials and tests; `uncollected` are the files that it can't collect, with why."""

    trials: int = 0
    of_trials: int = 0
    tests: int = 0
    of_tests: int = 0
    uncollected: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        said = [
            f"{name} {done} of {total}"
            for name, done, total in (("trial", self.trials, self.of_trials), ("test", self.tests, self.of_tests))
            if total
        ]
        return ", ".join(said) or "collecting"


def read(path: Path) -> Far:
    """What a run has written with --tfkernel-progress so far."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return Far()
    done = total = (0, 0)
    uncollected: dict[str, str] = {}
    for line in lines:
        # The last one may be half written.
        with contextlib.suppress(ValueError, TypeError, AttributeError, LookupError):
            ((kind, what),) = json.loads(line).items()
            if kind == "uncollected":
                uncollected[what[0]] = what[1]
            elif kind == "collected":
                total = (what[0], what[1])
            elif kind == "done":
                done = (what[0], what[1])
    return Far(done[0], total[0], done[1], total[1], tuple(uncollected.items()))
