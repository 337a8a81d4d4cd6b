"""Session-long helpers as they are met: found by what they are called, followed by what they fork."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_tfkernel._child import proc
from pytest_tfkernel.gate import known as gate_known
from pytest_tfkernel.gate.accounts import Account
from pytest_tfkernel.gate.known import Known
from pytest_tfkernel.gate.leases import Leases
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Key, Kind


class Helpers:
    """Those of one session. `met` is what they are, of those that were met."""

    def __init__(self, known: Sequence[Known], leases: Leases) -> None:
        self._known = known
        self._leases = leases
        self.met: dict[Key, Known] = {}
        self._newcomers: list[tuple[Account, ProcessId]] = []

    def find(self, kind: Kind, name: str) -> Known | None:
        """The helper that has this command line or path."""
        return gate_known.find(self._known, kind, name)

    def meet(self, newcomers: Iterable[tuple[Account, ProcessId]]) -> None:
        """Take those that are helpers off the accounts that they came on.

        At once, whoever's they are, since what a fork server forks next must not be its starter's. Twice, since a
        process has the command line of its parent until it executes its own program.
        """
        newcomers = list(newcomers)
        for account, process in (*self._newcomers, *newcomers):
            if process in account.members and self.is_one(process):
                account.members.discard(process)
        self._newcomers = newcomers

    def is_one(self, process: ProcessId) -> bool:
        """Whether a process is a helper; it follows us from then on."""
        known = self.find(Kind.PROCESS, proc.command_line(process.pid))
        stat = proc.read_stat(process.pid)
        # What a helper forks has its command line, and is no helper.
        if known is None or stat is None or self._leases.follows(stat.parent):
            return False
        self.met[Kind.PROCESS, str(process), str(process.start_time)] = known
        self._leases.follow(process)
        return True
