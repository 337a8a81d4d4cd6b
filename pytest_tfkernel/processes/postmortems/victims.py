"""Whom the OOM killer took: a kernel, or a process that it had started.

The Linux kernel counts its victims in a cgroup, and names nobody there. What the count was while the kernel lived on
is of others; and what has come since then can be of others only where a child of the kernel has died since.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from typing import Protocol

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.pidfds import is_dead

# Between the count and the signal lie some instructions of the Linux kernel.
_MOMENT = 0.002


class Victim(enum.Enum):
    """Whether a kernel that died of SIGKILL was the OOM killer's."""

    NO = enum.auto()
    YES = enum.auto()
    MAYBE = enum.auto()


class Counts(Protocol):
    """A cgroup (`kernels.cgroups.Cgroup`)."""

    def oom_kills(self) -> int:
        """How many processes the OOM killer has killed there."""


class Victims:
    """Watches the cgroup of one process; `others` are those that were taken while it lived."""

    def __init__(
        self,
        process: ProcessId,
        pidfd: int | None,
        cgroup: Counts | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._process = process
        self._pidfd = pidfd
        self._clock = clock
        self._cgroup: Counts | None = None
        self._counted = 0
        self._child_faults: int | None = None
        self._looked_at = clock()
        self.others = 0
        self._told = 0
        if cgroup is not None:
            self.join(cgroup)

    def join(self, cgroup: Counts) -> None:
        """Watch this cgroup from now on."""
        self._cgroup = cgroup
        self._counted = cgroup.oom_kills()
        self.look()

    def count(self) -> int:
        """How many have been taken in the cgroup so far, this one included."""
        return self._cgroup.oom_kills() if self._cgroup is not None else 0

    def look(self) -> None:
        """Note who can't have been this process, while it lives."""
        if self._cgroup is None or self._pidfd is None:
            return
        now, count = self._clock(), self.count()
        if is_dead(self._pidfd, _MOMENT if count > self._counted else 0.0):
            return
        stat = proc.read_stat(self._process.pid)
        if stat is None or stat.start_time != self._process.start_time or stat.is_dying:
            return
        self.others += max(0, count - self._counted)
        self._counted, self._looked_at = max(count, self._counted), now
        self._child_faults = stat.child_faults

    def news(self) -> int:
        """How many others were taken since this was asked last."""
        self.look()
        told, self._told = self._told, self.others
        return self._told - told

    def judge(self, child_faults: int | None, has_killed_orphans: Callable[[float], bool]) -> Victim:
        """Whether a dead process, which SIGKILL has ended, may have been taken."""
        if self.count() <= self._counted:
            return Victim.NO
        # A host that doesn't know says nothing, and then nothing speaks for a child.
        has_waited = child_faults is not None and (child_faults < 0 or child_faults != self._child_faults)
        if has_waited or has_killed_orphans(self._looked_at):
            return Victim.MAYBE
        return Victim.YES

    def close(self, *, was_one: bool) -> None:
        """After its death: count those that were taken since the last look, it itself left out if it `was_one`."""
        self.others += max(0, self.count() - self._counted - was_one)
        self._cgroup = None
