"""Judging an account: what of it is still there, after it had time to go away by itself."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_tfkernel._child import proc
from pytest_tfkernel.audit.probes import PROBES, Look
from pytest_tfkernel.audit.probes.shared_memory import SharedMemory
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Key, Kind, Resource
from pytest_tfkernel.plugin.gate import fixtures
from pytest_tfkernel.plugin.gate import known as gate_known
from pytest_tfkernel.plugin.gate.accounts import Account
from pytest_tfkernel.plugin.gate.books import Books
from pytest_tfkernel.plugin.gate.ground import me
from pytest_tfkernel.plugin.gate.known import Known

_SETTLE_SECONDS = 1.0
# What is one thing however many hold it; each handle of a device keeps a context alive.
_INHERITED = (Kind.SHARED_MEMORY, Kind.SEMAPHORE, Kind.SOCKET, Kind.LOCK)
# How often we look while things settle: no descriptor tells of them.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05


@dataclass
class Judge:
    """Looks at accounts. `helpers` are the session-long ones that were met."""

    books: Books
    known: Sequence[Known]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    helpers: dict[Key, Known] = field(default_factory=dict)
    _newcomers: list[tuple[Account, ProcessId]] = field(default_factory=list)

    def judge(self, accounts: Sequence[Account]) -> dict[Account, list[Resource]]:
        """What is left of each; only what a second look confirms."""
        if not self._anything_left(accounts):
            return {}
        # What only a cycle of references keeps is not left by anybody.
        gc.collect()
        deadline = self.clock() + _SETTLE_SECONDS
        pause = _FIRST_PAUSE
        while self._anything_left(accounts):
            now = self.clock()
            if now >= deadline:
                return {account: self._describe(account) for account in accounts}
            self.sleep(min(pause, deadline - now))
            pause = min(pause * 2, _LONGEST_PAUSE)
        return {}

    def settle_strays(self) -> dict[str, tuple[str, ...]]:
        """Those that are still there and used by nobody, with the tests that ran when they appeared."""
        self._update()
        return {
            str(thing): tuple(tests)
            for key, (thing, tests) in self.books.strays.items()
            if key in self.books.ground.present
            and gate_known.find(self.known, thing.kind, thing.name) is None
            and self._is_nobodys(thing)
        }

    def hand_over(self, account: Account, fixture: Account) -> None:
        """What an account's processes are that the value of a fixture holds, are the fixture's."""
        self._update()
        for process in tuple(account.members):
            if proc.start_time(process.pid) == process.start_time and fixtures.holds(fixture.value, process.pid):
                account.members.discard(process)
                fixture.add(process)

    def _anything_left(self, accounts: Sequence[Account]) -> bool:
        """Whether there is, at a glance; what has gone is struck off."""
        self._update()
        for account in accounts:
            account.members = {process for process in account.members if self._remains(account, process)}
            self._strike_paths(account)
            self._strike_things(account)
        return any(account.members or account.paths or account.things or account.strays for account in accounts)

    def _update(self) -> None:
        newcomers = self.books.update()
        # Known at once, whoever's they are, since what a fork server forks next must not be its starter's. Twice,
        # since a process has the command line of its parent until it executes its own program.
        for account, process in (*self._newcomers, *newcomers):
            if process in account.members and self._is_helper(process):
                account.members.discard(process)
        self._newcomers = newcomers

    def _is_helper(self, process: ProcessId) -> bool:
        known = gate_known.find(self.known, Kind.PROCESS, proc.command_line(process.pid))
        stat = proc.read_stat(process.pid)
        # What a helper forks has its command line, and is no helper.
        if known is None or stat is None or self.books.leases.follows(stat.parent):
            return False
        self.helpers[Kind.PROCESS, str(process), str(process.start_time)] = known
        self.books.leases.follow(process)
        return True

    def _remains(self, account: Account, process: ProcessId) -> bool:
        stat = proc.read_stat(process.pid)
        if stat is None or stat.start_time != process.start_time:
            return False
        if stat.state in {"Z", "X"}:
            # A dead orphan waits for the machine's own init, and dead children for whoever has started them.
            is_ours = stat.parent == os.getpid() or stat.parent in account.pids
            return is_ours or _threads(process.pid) > 1
        if self._is_helper(process):
            return False
        for fixture in self.books.fixtures():
            # Not in the account of the fixture itself, when that is judged.
            if fixture is not account and fixtures.holds(fixture.value, process.pid):
                fixture.add(process)
                return False
        return True

    def _strike_paths(self, account: Account) -> None:
        kept: dict[str, Kind] = {}
        for path in sorted(account.paths):
            kind = account.paths[path]
            if self.books.is_covered(path, account, kept) or not os.path.lexists(path):
                continue
            known = gate_known.find(self.known, kind, path)
            if known is not None:
                self.helpers[kind, path, ""] = known
                self.books.settle(path)
            else:
                kept[path] = kind
        # Other threads may be adding to it.
        for path in tuple(account.paths):
            if path not in kept:
                account.paths.pop(path, None)

    def _strike_things(self, account: Account) -> None:
        present = self.books.ground.present
        account.things = {
            key: thing
            for key, thing in account.things.items()
            if key in present and (thing.kind is not Kind.SOCKET or self.books.ground.listening(thing) is not None)
        }
        for key, thing in tuple(account.things.items()):
            known = gate_known.find(self.known, thing.kind, self._name(thing))
            if known is not None:
                self.helpers[key] = known
                del account.things[key]
        for key, thing in tuple(account.strays.items()):
            if key not in present or gate_known.find(self.known, thing.kind, thing.name) is not None:
                del account.strays[key]
            elif not self._is_nobodys(thing):
                del account.strays[key]
                self.books.disown(thing, account)

    def _name(self, thing: Resource) -> str:
        """A socket is told by its number until somebody asks for its address."""
        address = self.books.ground.listening(thing) if thing.kind is Kind.SOCKET else None
        return thing.name if address is None else address.name

    def _is_nobodys(self, thing: Resource) -> bool:
        if thing.kind is Kind.SEGMENT:
            return True  # its creator is dead
        table = Table()
        persists = SharedMemory().persists(table, self.books.ground.present[thing.key])
        self.books.note(table.blind)
        return persists

    def _describe(self, account: Account) -> list[Resource]:
        """All that is known of what is left, each thing once."""
        found: dict[tuple[Kind, str], Resource] = {}
        for resource in (*self._of_members(account), *self._of_ourselves(account)):
            found.setdefault((resource.kind, resource.name), resource)
        return list(found.values())

    def _of_members(self, account: Account) -> Iterator[Resource]:
        if not account.members:
            return
        table = Table()
        pids: Mapping[int, object] = table.entries
        members = tuple(table.entries[one.pid] for one in account.members if one.pid in pids)
        look = Look(table, members, frozenset(account.pids), me().process)
        inherited = {(one.kind, one.name) for one in self._own_things() if one.kind in _INHERITED}
        for probe in PROBES:
            # A fork has what pytest has: that is held by pytest, and was perhaps told already.
            yield from (one for one in probe.held(look) if (one.kind, one.name) not in inherited)
        self.books.note(table.blind)

    def _own_things(self) -> Iterator[Resource]:
        table = Table()
        mine = table.entry(os.getpid())
        look = Look(table, (mine,) if mine is not None else (), frozenset(), me().process)
        for probe in PROBES:
            yield from probe.held(look)

    def _of_ourselves(self, account: Account) -> Iterator[Resource]:
        for thing in account.things.values():
            if thing.kind is Kind.SOCKET:
                listening = self.books.ground.listening(thing)
                if listening is not None:
                    yield listening
            elif thing.kind is Kind.LOCK:
                path = self.books.ground.path_of(thing)
                yield Resource(Kind.LOCK, path, thing.identity, thing.holders, thing.detail)
            else:
                yield thing
        yield from account.strays.values()
        for path, kind in sorted(account.paths.items()):
            yield Resource(kind, path, detail="made by pytest itself")


def _threads(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - names in /proc are no paths
    except OSError:
        return 0
