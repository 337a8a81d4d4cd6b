"""What is looked at while a script lives, and after it: its memory, and what it holds and leaves."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Collection
from pathlib import Path

from pytest_tfkernel.audit.ledger import EYES, AuditedKernel, Eyes, Ledger, OwnProcesses
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.model.resources import Audit, Key, Kind, Resource
from pytest_tfkernel.processes.cgroups import find_oom_counter, read_oom_kills
from pytest_tfkernel.processes.supervisor import Supervisor
from pytest_tfkernel.processes.waits import monotonic
from pytest_tfkernel.run import memory, oom, threads
from pytest_tfkernel.run.memory import Limit, MemoryLine, Samples
from pytest_tfkernel.run.oom import OomRecord
from pytest_tfkernel.run.threads import Task

# The first look at what it holds comes so many seconds after the beginning, and each further one after twice as many.
_FIRST_LOOK = 0.25
# A death of another process of its cgroup is told from its own by when it was seen.
_MOMENT = 0.001


class RunWatch:
    """Of one life; made after it has begun, with the `before` of the time before it (`audit.ledger.baseline`)."""

    def __init__(
        self,
        life: Life,
        supervisor: Supervisor,
        before: Collection[Key],
        eyes: Eyes = EYES,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._began = clock()
        self._samples = Samples()
        self._pids = [life.process.pid]
        # Also those that have ended.
        self._known = {life.process.pid}
        self._life = life
        self._look_at = _FIRST_LOOK
        self._own_cgroup = bool(life.cgroups)
        self._find_cgroup()
        self._began_at_boot = time.clock_gettime(time.CLOCK_MONOTONIC)
        self.threads: tuple[Task, ...] = ()
        kernel = AuditedKernel(life.process, life.lease, self._kin, life.temporary, lent=self._is_of_manager)
        self._ledger = Ledger(kernel, before, eyes)

    def look(self, life: Life) -> float:
        """See `script.Watcher`."""
        # Also notes whom the OOM killer has taken, and gives back the memory of what was printed.
        life.wait(_MOMENT, channel=False)
        seconds = self._clock() - self._began
        if seconds >= self._look_at:
            self._look_at = 2 * seconds
            self._ledger.note("")
        if bool(life.cgroups) != self._own_cgroup:
            # A fault has given it one.
            self._own_cgroup = True
            self._find_cgroup()
        used = memory.used_in(self.cgroup) if self._own_cgroup and self.cgroup is not None else None
        return self._samples.add(seconds, memory.resident(self._pids) if used is None else used)

    def last_look(self, life: Life) -> None:
        """See `script.Watcher`."""
        self.look(life)
        self.threads = threads.read(life.process.pid)

    def oom(self) -> OomRecord:
        """What the OOM killer's record says of it and of what it has started."""
        count = read_oom_kills(self._counter) if self._own_cgroup else None
        if not (count or self._may_be_oom()):
            return OomRecord(count)
        return oom.look(self._began_at_boot, self._life.cgroups, self._known, count)

    def _may_be_oom(self) -> bool:
        found = self._life.post_mortem
        status = found.exit_status if found is not None else None
        return status is not None and status.signal == signal.SIGKILL

    def memory(self, max_rss: int) -> MemoryLine:
        """Its memory, when it has died; `max_rss` is the most that its process held at once."""
        peak = memory.peak_in(self.cgroup) if self._own_cgroup and self.cgroup is not None else None
        return self._samples.line(self._limit, max_rss if peak is None else peak)

    def audit(self) -> Audit:
        """What it has left, when it had a moment to go away by itself."""
        return self._ledger.audit()

    def _find_cgroup(self) -> None:
        self._counter = find_oom_counter(self._life.process.pid)
        self.cgroup = self._counter.parent if self._counter is not None else None
        self._limit = memory.limit_of(self.cgroup)
        if self._limit is not None and Path(self._limit.place).name in self._life.cgroups:
            self._limit = Limit(self._limit.size, "a cgroup of its own")

    def _kin(self) -> OwnProcesses:
        members, doubtful = self._supervisor.kin(self._life.lease)
        self._pids = [one.process.pid for one in members]
        self._known.update(self._pids)
        return OwnProcesses([one.process for one in members], [one.process for one in doubtful])

    def _is_of_manager(self, resource: Resource) -> bool:
        """One of the sockets through which a manager talks to its kernel: it removes them with the next."""
        is_socket = self._life.is_managed and resource.kind is Kind.SOCKET
        return is_socket and Path(resource.name).parent == self._life.temporary.parent
