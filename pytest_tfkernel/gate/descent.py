"""Whose a new process is: told by the number that it wears, by its parents, and by its session.

A process can shed each of them (`prlimit`, a double fork, `setsid`); any is enough to be found. Which of them proves
what is in docs/gate.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_tfkernel._child import proc, system
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.gate import adoption
from pytest_tfkernel.gate.accounts import Account
from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.gate.helpers import Helpers
from pytest_tfkernel.gate.leases import Leases
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Kind

_UNREADABLE = "it can't be read, so nobody knows who started the process"


@dataclass(frozen=True)
class Newcomer:
    """A process that nobody has seen before."""

    process: ProcessId
    parent: int
    session: int
    lease: int | None


@dataclass
class Arrivals:
    """Who has come: those `of` an account, and those that somebody must have started whose turn is over.

    `late` wear the number of an account that is closed; `foundlings` have become pytest's children, and may be
    anybody's.
    """

    of: list[tuple[Account, ProcessId]] = field(default_factory=list)
    late: list[tuple[int, ProcessId]] = field(default_factory=list)
    foundlings: list[ProcessId] = field(default_factory=list)


class Descent:
    """Looks at each process once."""

    def __init__(self, ground: Ground, leases: Leases, helpers: Helpers) -> None:
        self._ground = ground
        self._helpers = helpers
        self._leases = leases
        # Of each pid the process that had it last; those that were there before us are nobody's.
        table = Table()
        self._seen: dict[int, int] = {pid: entry.process.start_time for pid, entry in table.entries.items()}

    def arrivals(self, accounts: Sequence[Account], current: Account) -> Arrivals:
        """Of the processes that have come since the last call, those that are on one of the `accounts`, or may be.

        A child of pytest is of the `current` one, in whose turn it came.
        """
        pids, is_certain = self._ground.newcomers()
        found = Arrivals()
        for one in _parents_first({one.process.pid: one for one in self._news(pids)}):
            if self._leases.has_given(one.lease):
                owner = next((account for account in accounts if account.lease == one.lease), None)
                if owner is None:
                    found.late.append((one.lease or 0, one.process))
            elif one.parent == system.pid():
                owner = current if is_certain and not adoption.adopts() else None
                if owner is None:
                    found.foundlings.append(one.process)
            else:
                owner = self._parents(accounts, one) or self._sessions(accounts, one)
            if owner is not None:
                owner.add(one.process)
                found.of.append((owner, one.process))
        return found

    def _news(self, pids: Iterable[int]) -> Iterator[Newcomer]:
        for pid in pids:
            try:
                stat = proc.find_stat(pid)
            except PermissionError:
                continue  # hidden, and told as such
            except OSError as error:
                self._ground.put_off(pid, f"/proc/{pid}/stat", error)
                continue
            if stat is None or self._seen.get(pid) == stat.start_time or pid == system.pid():
                continue
            try:
                lease = proc.find_lease(pid)
            except PermissionError:
                self._ground.blind[Blind(Kind.PROCESS, f"/proc/{pid}/limits", _UNREADABLE)] = None
                lease = None
            except OSError as error:
                self._ground.put_off(pid, f"/proc/{pid}/limits", error)
                continue
            self._seen[pid] = stat.start_time
            yield Newcomer(ProcessId(pid, stat.start_time), stat.parent, stat.session, lease)

    def _parents(self, accounts: Sequence[Account], one: Newcomer) -> Account | None:
        """The account on which its parent is. What a helper starts for itself is nobody's."""
        parent = ProcessId(one.parent, self._seen.get(one.parent, -1))
        account = next((account for account in accounts if parent in account.members), None)
        if account is None or self._helpers.find(Kind.PROCESS, proc.command_line(one.parent)) is not None:
            return None
        return account

    @staticmethod
    def _sessions(accounts: Sequence[Account], one: Newcomer) -> Account | None:
        """The account on which a living process of its session is, if that isn't the one of pytest's own."""
        mine = proc.read_stat(system.pid())
        if mine is None or one.session in {0, mine.session}:
            return None
        for account in accounts:
            for process in account.members:
                stat = proc.read_stat(process.pid)
                if stat is not None and stat.start_time == process.start_time and stat.session == one.session:
                    return account
        return None


def _parents_first(news: Mapping[int, Newcomer]) -> Iterator[Newcomer]:
    """In this order, since its children may have shed what tells whose a process is. Pids begin anew at their end."""
    done: set[int] = set()
    for one in news.values():
        line = [one]
        while line[-1].parent in news and line[-1].parent not in done and len(line) < len(news):
            line.append(news[line[-1].parent])
        for each in reversed(line):
            if each.process.pid not in done:
                done.add(each.process.pid)
                yield each
