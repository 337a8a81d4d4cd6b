"""What a process that is about to be killed has started, whoever its parent is afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from pytest_tfkernel._child import proc
from pytest_tfkernel.audit.table import Entry, Table
from pytest_tfkernel.model.errors import SupervisorGoneError
from pytest_tfkernel.model.processes import Leftover, ProcessId
from pytest_tfkernel.processes.pidfds import open_pidfd, wait_for_any
from pytest_tfkernel.processes.supervisor import Supervisor

_END_SECONDS = 10.0


class Brood:
    """What comes below a supervisor from now on, and stays known by one sign of it.

    The signs: it is below the supervisor, it was seen there or named, or it is of our user and carries a lease of one
    that was, which nobody on the machine carried before. Raises SupervisorGoneError when there is no supervisor.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._root = supervisor.pid
        if proc.start_time(self._root) is None:
            raise SupervisorGoneError(f"the supervisor (pid {self._root}) is gone")
        table = Table()
        self._before = frozenset(entry.process for entry in table.entries.values())
        self._foreign = frozenset(proc.lease_of(process.pid) for process in self._before) | {None}
        self._known: set[ProcessId] = set()
        self._leases: set[int | None] = set()

    def expect(self, pids: Sequence[int], parent: ProcessId) -> list[int]:
        """Take these for what `parent` has started, wherever they are; those that don't exist."""
        table = Table()
        found = [entry for entry in map(table.entry, pids) if entry is not None and not entry.is_dead]
        # One that is older can't be.
        named = {entry.process for entry in found if entry.process.start_time >= parent.start_time}
        self._known |= named - self._before
        return [pid for pid in pids if pid not in {process.pid for process in self._known}]

    def look(self) -> dict[ProcessId, Leftover]:
        """Those that exist now, zombies too."""
        table = Table()
        below = {entry.process for entry in table.below(self._root)} - self._before
        self._known |= below
        self._leases |= {proc.lease_of(process.pid) for process in below} - self._foreign
        found = [entry for entry in table.entries.values() if entry.process in self._known or self._is_marked(entry)]
        self._known |= {entry.process for entry in found}
        return {entry.process: _leftover(entry) for entry in found}

    def _is_marked(self, entry: Entry) -> bool:
        pid = entry.process.pid
        # A lease can be read, and worn, by anybody.
        return entry.process not in self._before and proc.lease_of(pid) in self._leases and _is_of_our_user(pid)

    def end(self) -> None:
        """Kill all of them, and what comes after them."""
        deadline = time.monotonic() + _END_SECONDS
        while (found := self._living()) and time.monotonic() < deadline:
            for process in found:
                pidfd = open_pidfd(process)
                if pidfd is not None:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                    os.close(pidfd)
            wait_for_any(found, deadline - time.monotonic())

    def _living(self) -> list[ProcessId]:
        """A zombie is its parent's to wait for, and that may be nobody of ours."""
        return [process for process, one in self.look().items() if one.state not in {"Z", "X"}]


def _is_of_our_user(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}").stat().st_uid == os.geteuid()
    except OSError:
        return False


def _leftover(entry: Entry) -> Leftover:
    return Leftover(entry.process, entry.parent, entry.state, proc.command_line(entry.process.pid))
