"""A child process that is waited for once, with all that wait4(2) tells."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from dataclasses import dataclass

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ExitStatus, ProcessId, ResourceUsage
from pytest_tfkernel.processes.pidfds import is_dead


@dataclass(frozen=True)
class Reaped:
    """What the wait told: the word of wait4(2), usage, and CLOCK_MONOTONIC in seconds.

    `word` and `usage` are None when somebody else had waited for the process. `child_faults` as in `_child.proc`.
    """

    word: int | None
    usage: ResourceUsage | None
    time: float
    child_faults: int | None = None

    @property
    def status(self) -> ExitStatus | None:
        """The word, read."""
        return None if self.word is None else ExitStatus.from_wait(self.word)


class Child:
    """A process that this one has started; `reap` is the only wait for it."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        # A child that nobody has waited for keeps its pid, dead or alive.
        self.process = ProcessId(popen.pid, proc.start_time(popen.pid) or 0)
        self.pidfd = os.pidfd_open(popen.pid)
        self.started = time.monotonic()
        self.reaped: Reaped | None = None

    def reap(self) -> Reaped | None:
        """Wait for it if it has died; None while it lives."""
        if self.reaped is None and is_dead(self.pidfd):
            # Of the zombie: it still has them.
            stat = proc.read_stat(self.process.pid)
            child_faults = stat.child_faults if stat is not None else None
            try:
                _, word, usage = os.wait4(self.process.pid, 0)
                used = ResourceUsage(usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024)
                self.reaped = Reaped(word, used, time.monotonic(), child_faults)
            except ChildProcessError:
                self.reaped = Reaped(None, None, time.monotonic())
            os.close(self.pidfd)
            status = self.reaped.status
            # Popen would wait for it again, and find nobody. Its own answer is 0 then.
            self._popen.returncode = (
                0 if status is None else status.code if status.code is not None else -(status.signal or 0)
            )
        return self.reaped

    @property
    def returncode(self) -> int | None:
        """As that of `subprocess.Popen`: minus the signal, or the exit code; None while it lives."""
        self.reap()
        return self._popen.returncode

    async def dead(self) -> Reaped:
        """Wait for its death without looking again and again."""
        while (reaped := self.reap()) is None:
            loop = asyncio.get_running_loop()
            died = asyncio.Event()
            # A copy: whoever reaps it closes the other one.
            watched = os.dup(self.pidfd)
            loop.add_reader(watched, died.set)
            try:
                await died.wait()
            finally:
                loop.remove_reader(watched)
                os.close(watched)
        return reaped
