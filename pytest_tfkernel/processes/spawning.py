"""Starting one process from pytest's own, past all that a test may have put in the place of `subprocess`."""

from __future__ import annotations

import contextlib
import os
import posix
import signal
from collections.abc import Mapping, Sequence
from fcntl import F_DUPFD_CLOEXEC

from pytest_tfkernel._child import originals, proc
from pytest_tfkernel.processes import pidfds
from pytest_tfkernel.processes.descriptors import Owned
from pytest_tfkernel.processes.waits import monotonic, ready

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# Above all targets; a new process has none of our descriptors at other numbers.
_ABOVE = 10
_LOOK_SECONDS = 0.01


class Spawned:
    """A child of this process. What it is started with blocks every signal: it has to let them in."""

    def __init__(self, argv: Sequence[str], descriptors: Mapping[int, int]) -> None:
        """Start it; `descriptors` are by target. Raises OSError."""
        copies = []
        try:
            for source in descriptors.values():
                copies.append(originals.fcntl(source, F_DUPFD_CLOEXEC, _ABOVE))  # noqa: PERF401 - each is to be closed
            placed = [(posix.POSIX_SPAWN_DUP2, copy, target) for copy, target in zip(copies, descriptors, strict=True)]
            null = (posix.POSIX_SPAWN_OPEN, 0, os.devnull, posix.O_RDONLY, 0)
            self.pid = posix.posix_spawn(
                argv[0],
                list(argv),
                dict(os.environ),
                file_actions=[null, *placed],
                # Ctrl-C is for pytest, also before the child has a session of its own.
                setsigmask=signal.valid_signals(),
            )
        finally:
            for copy in copies:
                posix.close(copy)
        self._start_time = proc.start_time(self.pid)
        self.owned: tuple[Owned, ...] = ()
        self._pidfd: int | None = None
        with contextlib.suppress(OSError):
            self._pidfd = posix.pidfd_open(self.pid)
            self.owned = (Owned.take(self._pidfd),)

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, and reap it; False when it goes on."""
        deadline = monotonic() + seconds
        while not self._is_reaped():
            remaining = deadline - monotonic()
            if remaining <= 0:
                return False
            # Without a pidfd, or when a test has closed it, we look again and again.
            if self._pidfd is None or ready(remaining, self._pidfd):
                ready(min(remaining, _LOOK_SECONDS))
        if self._pidfd is not None:
            pidfds.close(self._pidfd)
            self._pidfd = None
        return True

    def kill(self) -> None:
        """End it at once; it is a child that nobody has waited for, and so it is still that process."""
        if proc.start_time(self.pid) == self._start_time:
            posix.kill(self.pid, signal.SIGKILL)

    def _is_reaped(self) -> bool:
        try:
            return posix.waitpid(self.pid, posix.WNOHANG)[0] != 0
        except ChildProcessError:
            # A test has waited for whatever child there was.
            return True
