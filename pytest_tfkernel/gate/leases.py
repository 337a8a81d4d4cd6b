"""Numbers worn by what is started in someone's name: pytest's process wears one, and its children inherit it.

See `_child.proc`: the number is the soft limit of RLIMIT_LOCKS, which Linux doesn't enforce.
"""

from __future__ import annotations

import contextlib
import resource

from pytest_tfkernel._child import proc, system
from pytest_tfkernel._child.leases import Numbers
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Kind

# More than one session ever needs.
_MOST = 1 << 24
_PLACE = "processes whose parents have ended"


class _Kept:
    """A test may put others in their place."""

    getrlimit = staticmethod(resource.getrlimit)
    setrlimit = staticmethod(resource.setrlimit)
    prlimit = staticmethod(resource.prlimit)


class Leases:
    """Those of one session. `blind` says why nothing wears them, where the limit leaves no room for them."""

    def __init__(self) -> None:
        self._before = _Kept.getrlimit(proc.RLIMIT_LOCKS)
        self._hard = self._before[1]
        # From the smallest on: what a hard limit allows is used.
        self._numbers = Numbers(1, _MOST, self._hard)
        self._followers: set[ProcessId] = set()
        self._pid = system.pid()
        self.blind: Blind | None = None
        if not self._numbers.is_room:
            self._refuse(f"the hard limit on file locks is {self._hard}: raise it (ulimit -H -x unlimited)")

    def _refuse(self, why: str) -> None:
        self.blind = Blind(Kind.PROCESS, _PLACE, why)

    def new(self) -> int:
        """A number that nobody wears."""
        return self._numbers.new()

    def wear(self, lease: int) -> None:
        """Put this number on all that is started from now on, by this process and by those that follow it."""
        if self.blind is not None:
            return
        limits = (lease, self._hard)
        try:
            _Kept.setrlimit(proc.RLIMIT_LOCKS, limits)
        except (OSError, ValueError):
            # What is started from now on wears the number of somebody who had his turn before.
            self._refuse("a test has lowered the hard limit on file locks: no number is inherited any more")
            return
        for process in tuple(self._followers):
            try:
                if proc.start_time(process.pid) != process.start_time:
                    raise ProcessLookupError
                _Kept.prlimit(process.pid, proc.RLIMIT_LOCKS, limits)
            except OSError:
                self._followers.discard(process)

    def has_given(self, lease: int | None) -> bool:
        """Whether a number is worn by what somebody here has started."""
        return self.blind is None and self._numbers.has_given(lease)

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
        if system.pid() == self._pid:
            # A hard limit that a test has lowered stays.
            with contextlib.suppress(OSError, ValueError):
                _Kept.setrlimit(proc.RLIMIT_LOCKS, self._before)
