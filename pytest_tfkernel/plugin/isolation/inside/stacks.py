"""Stacks of a process of isolation: faulthandler writes them into a file of pytest's, whatever a test does to it."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import posix

from pytest_tfkernel._child.originals import monotonic
from pytest_tfkernel.processes.descriptors import Owned

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# After the signal by which pytest asks for them: a process that has answered that is ended by then.
_LATER_SECONDS = 0.2
_TASKS = "/proc/self/task"
_LOOKS = 10_000


class Stacks:
    """Those of this process; a fork needs its own."""

    def __init__(self, descriptor: int) -> None:
        self._file = Owned.take(descriptor)
        self._pid = posix.getpid()
        self._due: float | None = None
        self._is_watched = False
        # That of faulthandler, and whichever else has begun just then.
        self._threads: set[str] = set()

    def aim(self) -> None:
        """Let a crash be told there: pytest, or a test, may have let it be told elsewhere, or nowhere."""
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            if self._file.is_ours():
                faulthandler.enable(self._file.number)

    def arm(self, seconds: float | None) -> bool:
        """Have all stacks written after some seconds, also if the test then takes no signal; None takes that back.

        True when it is so. A thread of faulthandler's does that, which is away whenever a test forks: Python warns of
        forks beside other threads, and in the fork nobody could end it.
        """
        self._stop()
        if seconds is None:
            self._due = None
            return False
        if not self._is_watched:
            self._is_watched = True
            os.register_at_fork(before=self._stop, after_in_parent=self._start)
        self._due = monotonic() + seconds + _LATER_SECONDS
        return self._start()

    def _start(self) -> bool:
        if self._due is None or posix.getpid() != self._pid or not self._file.is_ours():
            return False
        before = set(posix.listdir(_TASKS))
        try:
            faulthandler.dump_traceback_later(max(0.01, self._due - monotonic()), file=self._file.number)
        except (OSError, ValueError, RuntimeError):
            return False
        self._threads = {*posix.listdir(_TASKS)} - before
        return True

    def _stop(self) -> None:
        if self._due is not None and posix.getpid() == self._pid:
            faulthandler.cancel_dump_traceback_later()
            # It says that it ends before it has.
            for _ in range(_LOOKS):
                if self._threads.isdisjoint(posix.listdir(_TASKS)):
                    return
                posix.sched_yield()
