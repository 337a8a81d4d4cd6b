"""What a kernel holds, noted while it lives, and what of it is left after its death."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.audit.probes import PROBES, Look, Probe
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Audit, Blind, Key, Kind, Leak, Resource

# How often we look while things settle: no descriptor tells of them.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05
# What one look and the pause before it may take of the time to settle: a clock that jumps takes no more.
_LONGEST_TURN = 0.5


@dataclass(frozen=True)
class OwnProcesses:
    """Which processes are a kernel's own: it, what it has started, and zombies; and those of which it can't be told."""

    members: Sequence[ProcessId]
    doubtful: Sequence[ProcessId] = ()


@dataclass(frozen=True)
class AuditedKernel:
    """A kernel: its process, the number by which its leaks are told, and where it may leave things.

    `kin` asks whoever knows. What is `lent` to it is somebody else's, and is no leak.
    """

    process: ProcessId
    lease: int
    kin: Callable[[], OwnProcesses]
    folder: Path | None = None
    lent: Callable[[Resource], bool] = lambda _: False


@dataclass(frozen=True)
class Eyes:
    """What the audit looks with."""

    probes: Sequence[Probe] = PROBES
    table: Callable[[], Table] = Table
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


EYES = Eyes()


def baseline(eyes: Eyes = EYES) -> frozenset[Key]:
    """What exists on the machine before a kernel starts."""
    now = eyes.table()
    return frozenset(key for probe in eyes.probes for key in probe.existing(now))


class Ledger:
    """The account of one kernel's process. `before` is the `baseline` of the time before its start."""

    def __init__(self, kernel: AuditedKernel, before: Collection[Key], eyes: Eyes = EYES) -> None:
        self._kernel = kernel
        self._before = frozenset(before)
        self._eyes = eyes
        # In the order in which they were seen: parents before children.
        self._members = {kernel.process: None}
        self._doubtful: Sequence[ProcessId] = ()
        # Each resource with the cell after which it was first seen, and the probe that knows it.
        self._noted: dict[Key, tuple[Resource, str, Probe]] = {}
        # What could not be read while it lived may have held what nobody holds any more.
        self._blind: dict[Blind, None] = {}

    def note(self, cell: str) -> None:
        """Look at what is held now, after this cell."""
        look = self._look()
        for probe in self._eyes.probes:
            for resource in probe.held(look):
                if self._is_own(resource):
                    self._noted.setdefault(resource.key, (resource, cell, probe))
        self._blind |= dict.fromkeys(look.table.blind)

    def audit(self, seconds: float = 1.0) -> Audit:
        """What is left after the death, when it had up to `seconds` to go away by itself."""
        passed, pause, slept, last = 0.0, _FIRST_PAUSE, 0.0, self._eyes.clock()
        while True:
            look = self._look()
            look.table.blind += self._doubts(look.table)
            leaks = list(self._leaks(look))
            now = self._eyes.clock()
            passed, last = passed + min(max(now - last, slept), _LONGEST_TURN), now
            if not leaks or passed >= seconds:
                return Audit(tuple(leaks), tuple(self._blind | dict.fromkeys(look.table.blind)), passed)
            slept = min(pause, seconds - passed)
            self._eyes.sleep(slept)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _is_own(self, resource: Resource) -> bool:
        return resource.key not in self._before and not self._kernel.lent(resource)

    def _look(self) -> Look:
        # Asked before the table is read: who is there by then was there already, and who ends between is gone.
        kin = self._kernel.kin()
        self._members |= dict.fromkeys(kin.members)
        self._doubtful = kin.doubtful
        table = self._eyes.table()
        found = {process: table.entry(process.pid) for process in self._members}
        members = tuple(entry for process, entry in found.items() if entry is not None and entry.process == process)
        # Those that no other process has been given since.
        pids = frozenset(process.pid for process, entry in found.items() if entry is None or entry.process == process)
        return Look(table, members, pids, self._kernel.process, self._kernel.folder)

    def _doubts(self, table: Table) -> Iterator[Blind]:
        """What can't be looked at as its own, and can't be ruled out."""
        for process in self._doubtful:
            entry = table.entry(process.pid)
            if entry is not None and entry.process == process:
                why = f"{table.holder(process).command} was started by this kernel or by another one that lived then"
                yield Blind(Kind.PROCESS, str(process), why)

    def _leaks(self, look: Look) -> Iterator[Leak]:
        found: set[Key] = set()
        for probe in self._eyes.probes:
            for resource in probe.held(look):
                if self._is_own(resource) and resource.key not in found:
                    found.add(resource.key)
                    yield self._leak(resource)
        # Of its own: that others can't be looked at hides no leak. At worst, one that they use is called a leak.
        everybody = self._eyes.table()
        for key, (resource, _, probe) in self._noted.items():
            if key not in found and probe.persists(everybody, resource):
                yield self._leak(Resource(resource.kind, resource.name, resource.identity, (), resource.detail))

    def _leak(self, resource: Resource) -> Leak:
        # Of whichever kind: a process that was noted may be a zombie now.
        keys = ((kind, resource.name, resource.identity) for kind in Kind)
        since = next((self._noted[key][1] for key in keys if key in self._noted), "")
        return Leak(resource, self._kernel.lease, since)
