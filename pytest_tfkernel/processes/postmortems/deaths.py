"""The deaths that the supervisor has told of: those that somebody may ask about, and the latest of all others."""

from __future__ import annotations

import collections
import signal
from dataclasses import dataclass

from pytest_tfkernel.model.processes import ExitStatus, ProcessId, ResourceUsage

# Of orphans, of which there may be any number.
_KEPT_DEATHS = 4096


@dataclass(frozen=True)
class Death:
    """What the supervisor tells of a process that it waited for.

    `time` is CLOCK_MONOTONIC in seconds; `signals` are those sent through the supervisor and not ignored, or by the
    host that has waited for it. `usage` is None where that host can't know it, and so is `child_faults`, which is
    above what it was in the living process when that has waited for a child since (proc(5)).
    """

    process: ProcessId
    status: ExitStatus
    usage: ResourceUsage | None
    time: float
    signals: tuple[int, ...]
    child_faults: int | None = None


class Deaths:
    """A book of them. What is expected is kept however many others die; of the others, the last 4096."""

    def __init__(self) -> None:
        self._expected: dict[ProcessId, Death | None] = {}
        self._others: collections.OrderedDict[ProcessId, Death] = collections.OrderedDict()
        # When the latest of those died that are kept no more.
        self._forgotten = float("-inf")

    def expect(self, process: ProcessId) -> None:
        """Keep the death of this process, whenever it comes, or has come just now."""
        if process not in self._expected:
            self._expected[process] = self._others.pop(process, None)

    def add(self, death: Death) -> None:
        """Note one."""
        if death.process in self._expected:
            self._expected[death.process] = death
            return
        self._others[death.process] = death
        if len(self._others) > _KEPT_DEATHS:
            _, oldest = self._others.popitem(last=False)
            self._forgotten = max(self._forgotten, oldest.time)

    def __contains__(self, process: ProcessId) -> bool:
        return self._expected.get(process) is not None or process in self._others

    def __getitem__(self, process: ProcessId) -> Death:
        return self._expected.get(process) or self._others[process]

    def has_killed_orphans(self, since: float) -> bool:
        """Whether one that nobody expected has died, or may have, of a SIGKILL that wasn't ours."""
        killed = (one for one in self._others.values() if one.status.signal == signal.SIGKILL and not one.signals)
        return self._forgotten >= since or any(one.time >= since for one in killed)
