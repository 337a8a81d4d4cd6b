"""Judging an account: what of it is still there, after it had time to go away by itself."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_tfkernel._child import proc, system
from pytest_tfkernel.audit.probes import PROBES, Look
from pytest_tfkernel.audit.probes.shared_memory import SharedMemory
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.gate import addresses, adoption, holding, threads
from pytest_tfkernel.gate.accounts import Account, Owner
from pytest_tfkernel.gate.books import Books
from pytest_tfkernel.gate.findings import Stray
from pytest_tfkernel.gate.ground import me
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Kind, Resource

_SETTLE_SECONDS = 1.0
# What one look and the pause before it may take of that: a clock that jumps takes no more.
_LONGEST_TURN = 0.25
# What is one thing however many hold it; each handle of a device keeps a context alive.
_INHERITED = (Kind.SHARED_MEMORY, Kind.SEMAPHORE, Kind.SOCKET, Kind.LOCK)
# How often we look while things settle: no descriptor tells of them.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05


@dataclass
class AccountJudge:
    """Looks at accounts. `orphans` are dead ones that have become pytest's children, and wait for it in vain."""

    books: Books
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    orphans: set[ProcessId] = field(default_factory=set)

    def judge(self, accounts: Sequence[Account]) -> dict[Account, list[Resource]]:
        """What is left of each; only what a second look confirms."""
        if not self._anything_left(accounts):
            return {}
        # What only a cycle of references keeps is not left by anybody.
        gc.collect()
        passed, slept, pause, last = 0.0, 0.0, _FIRST_PAUSE, self.clock()
        while self._anything_left(accounts):
            now = self.clock()
            # A clock that a test has stopped (freezegun) goes on by what was slept.
            passed, last = passed + min(max(now - last, slept), _LONGEST_TURN), now
            if passed >= _SETTLE_SECONDS:
                return {account: self._describe(account) for account in accounts}
            slept = min(pause, _SETTLE_SECONDS - passed)
            self.sleep(slept)
            pause = min(pause * 2, _LONGEST_PAUSE)
        return {}

    def settle_strays(self) -> Iterator[Stray]:
        """Those that are still there and used by nobody, with the tests that ran when they appeared."""
        self.books.update()
        for key, (thing, tests) in self.books.strays.items():
            is_helpers = self.books.helpers.find(thing.kind, thing.name) is not None
            if key in self.books.ground.present and not is_helpers and self._is_nobodys(thing):
                yield Stray(thing, tuple(tests))
        for process, test in self.books.foundlings.items():
            if _lives(process) and not self.books.helpers.is_one(process):
                yield Stray(_process(process), (test,))

    def settle_late(self) -> Iterator[tuple[Owner, Resource]]:
        """What is left of those at which nobody could look when it was their turn."""
        for process, owner in self.books.late.items():
            if _lives(process) and not self.books.helpers.is_one(process):
                yield owner, _process(process)

    def hand_over(self, account: Account, fixture: Account) -> None:
        """What an account's processes and threads are that the value of a fixture holds, are the fixture's."""
        self.books.update()
        for number, thread in tuple(account.threads.items()):
            if thread.is_alive() and holding.reaches(fixture.value, thread):
                fixture.threads[number] = account.threads.pop(number)
        for process in tuple(account.members):
            if proc.start_time(process.pid) == process.start_time and holding.holds(fixture.value, process.pid):
                account.members.discard(process)
                fixture.add(process)

    def _anything_left(self, accounts: Sequence[Account]) -> bool:
        """Whether there is, at a glance; what has gone is struck off."""
        self.books.update()
        for account in accounts:
            account.members = {process for process in account.members if self._remains(account, process)}
            self._strike_paths(account)
            self._strike_things(account)
            account.threads = {
                number: thread for number, thread in account.threads.items() if self._is_left(account, thread)
            }
        return any(
            account.members or account.paths or account.things or account.strays or account.threads
            for account in accounts
        )

    def _is_left(self, account: Account, thread: threading.Thread) -> bool:
        """Whether a thread of pytest's own is in the way of its end, and nobody holds it."""
        found = threads.in_the_way(thread)
        if found is None:
            return False
        known = self.books.helpers.find(found.kind, found.name)
        if known is not None:
            self.books.helpers.met[found.key] = known
            return False
        for fixture in self.books.fixtures():
            if fixture is not account and holding.reaches(fixture.value, thread):
                fixture.threads[id(thread)] = thread
                return False
        return True

    def _remains(self, account: Account, process: ProcessId) -> bool:
        try:
            stat = proc.find_stat(process.pid)
        except OSError as error:
            # Perhaps it lives, and is told when it can be looked at.
            self.books.ground.put_off(process.pid, f"/proc/{process.pid}/stat", error)
            self.books.late[process] = account.owner
            return False
        if stat is None or stat.start_time != process.start_time:
            return False
        if stat.state in {"Z", "X"}:
            return self._is_waited_for_in_vain(account, process, stat.parent)
        if self.books.helpers.is_one(process):
            return False
        for fixture in self.books.fixtures():
            # Not in the account of the fixture itself, when that is judged.
            if fixture is not account and holding.holds(fixture.value, process.pid):
                fixture.add(process)
                return False
        return True

    def _is_waited_for_in_vain(self, account: Account, process: ProcessId, parent: int) -> bool:
        # Dead children wait for whoever has started them, and a dead orphan for the machine's own init.
        if parent != system.pid():
            return parent in account.pids
        if adoption.adopts() and not adoption.is_waited_for(process.pid):
            self.orphans.add(process)
            return False
        return True

    def _strike_paths(self, account: Account) -> None:
        kept: dict[str, Kind] = {}
        for path in sorted(account.paths):
            kind = account.paths[path]
            if self.books.is_covered(path, account, kept) or not system.exists(path):
                continue
            known = self.books.helpers.find(kind, path)
            if known is not None:
                self.books.helpers.met[kind, path, ""] = known
                self.books.settle(path)
            else:
                kept[path] = kind
        # Other threads may be adding to it.
        for path in tuple(account.paths):
            if path not in kept:
                account.paths.pop(path, None)

    def _strike_things(self, account: Account) -> None:
        ground = self.books.ground
        account.things = {
            key: thing
            for key, thing in account.things.items()
            # What can't be looked at now may have gone: that it couldn't is told.
            if key in ground.present
            and ground.sees(thing.kind)
            and (thing.kind is not Kind.SOCKET or addresses.listening(ground, thing) is not None)
        }
        for key, thing in tuple(account.things.items()):
            known = self.books.helpers.find(thing.kind, self._name(thing))
            if known is not None:
                self.books.helpers.met[key] = known
                del account.things[key]
        for key, thing in tuple(account.strays.items()):
            if key not in ground.present or self.books.helpers.find(thing.kind, thing.name) is not None:
                del account.strays[key]
            elif not ground.sees(thing.kind) or not self._is_nobodys(thing):
                del account.strays[key]
                self.books.disown(thing, account)

    def _name(self, thing: Resource) -> str:
        """A socket is told by its number until somebody asks for its address."""
        address = addresses.listening(self.books.ground, thing) if thing.kind is Kind.SOCKET else None
        return thing.name if address is None else address.name

    def _is_nobodys(self, thing: Resource) -> bool:
        if thing.kind is Kind.SEGMENT:
            return True  # its creator is dead
        table = Table()
        persists = SharedMemory().persists(table, self.books.ground.present[thing.key])
        self.books.note(table.blind)
        return persists and not table.is_torn

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
        if table.is_torn:
            self.books.late |= dict.fromkeys((one for one in account.members if one.pid not in pids), account.owner)
        look = Look(table, members, frozenset(account.pids), me().process)
        inherited = self._inherited()
        for probe in PROBES:
            # A fork has what pytest has: that is held by pytest, and was perhaps told already.
            for one in probe.held(look):
                is_certain = inherited is not None or one.kind not in _INHERITED
                if is_certain and (one.kind, one.name) not in (inherited or ()):
                    yield one
        self.books.note(table.blind)

    def _inherited(self) -> set[tuple[Kind, str]] | None:
        """What pytest's own process holds, and forks of it do too; None when that can't be told."""
        table = Table()
        mine = table.entry(system.pid())
        look = Look(table, (mine,) if mine is not None else (), frozenset(), me().process)
        found = {(one.kind, one.name) for probe in PROBES for one in probe.held(look) if one.kind in _INHERITED}
        self.books.note(table.blind)
        return None if table.is_torn or mine is None else found

    def _of_ourselves(self, account: Account) -> Iterator[Resource]:
        for thing in account.things.values():
            if thing.kind is Kind.SOCKET:
                listening = addresses.listening(self.books.ground, thing)
                if listening is not None:
                    yield listening
            elif thing.kind is Kind.LOCK:
                path = addresses.path_of(self.books.ground, thing)
                yield Resource(Kind.LOCK, path, thing.identity, thing.holders, thing.detail)
            else:
                yield thing
        yield from filter(None, map(threads.in_the_way, account.threads.values()))
        yield from account.strays.values()
        for path, kind in sorted(account.paths.items()):
            yield Resource(kind, path, detail="made by pytest itself")


def _process(process: ProcessId) -> Resource:
    words = proc.command_line(process.pid) or "no command line"
    return Resource(Kind.PROCESS, str(process), str(process.start_time), detail=words)


def _lives(process: ProcessId) -> bool:
    stat = proc.read_stat(process.pid)
    return stat is not None and stat.start_time == process.start_time and stat.state not in {"Z", "X"}
