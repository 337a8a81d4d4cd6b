"""Numbers that mark what is started in someone's name: pytest's process wears one, and its children inherit it.

See `_child.proc`: the number is the soft limit of RLIMIT_LOCKS, which Linux doesn't enforce.
"""

from __future__ import annotations

import itertools
import os
import resource
import secrets

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Kind

# More than one session ever needs, and room enough for two sessions to miss each other.
_LEASES = 1 << 24
_ROOM = 1 << 60


class Leases:
    """Those of one session. `blind` says why there are none, where the limit leaves no room for them."""

    def __init__(self) -> None:
        self._before = resource.getrlimit(proc.RLIMIT_LOCKS)
        self._hard = self._before[1]
        room = _ROOM if self._hard == resource.RLIM_INFINITY else self._hard
        self._numbers = itertools.count(1 + secrets.randbelow(max(1, room - _LEASES)))
        self._followers: set[ProcessId] = set()
        self._pid = os.getpid()
        self.blind: Blind | None = None
        if room < 2 * _LEASES:
            reason = f"the hard limit on file locks is {self._hard}: raise it (ulimit -H -x unlimited)"
            self.blind = Blind(Kind.PROCESS, "processes", reason)

    def new(self) -> int:
        """A number that nobody wears."""
        return next(self._numbers)

    def wear(self, lease: int) -> None:
        """Mark all that is started from now on, by this process and by those that follow it."""
        if self.blind is not None:
            return
        limits = (lease, self._hard)
        resource.setrlimit(proc.RLIMIT_LOCKS, limits)
        for process in tuple(self._followers):
            try:
                if proc.start_time(process.pid) != process.start_time:
                    raise ProcessLookupError
                resource.prlimit(process.pid, proc.RLIMIT_LOCKS, limits)
            except OSError:
                self._followers.discard(process)

    def follow(self, process: ProcessId) -> None:
        """Have a process wear what we wear: what a fork server forks is ours, and not of whoever started it."""
        self._followers.add(process)

    @property
    def has_followers(self) -> bool:
        """Whether there are any."""
        return bool(self._followers)

    def follows(self, pid: int) -> bool:
        """Whether a process follows us."""
        return any(process.pid == pid for process in self._followers)

    def restore(self) -> None:
        """Wear what was worn before the session."""
        if self.blind is None and os.getpid() == self._pid:
            resource.setrlimit(proc.RLIMIT_LOCKS, self._before)
