"""The accounts that are open, and the one to which whatever appears now belongs."""

from __future__ import annotations

import os
import resource
from collections.abc import Container, Iterable, Iterator

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Key, Kind, Resource
from pytest_tfkernel.plugin.gate import neighbours
from pytest_tfkernel.plugin.gate.accounts import Account, Owner
from pytest_tfkernel.plugin.gate.claims import Claims
from pytest_tfkernel.plugin.gate.ground import Ground
from pytest_tfkernel.plugin.gate.leases import Leases


class Books:
    """Keeps them. `session` is the account of what happens outside of tests; `blind` what could not be seen."""

    def __init__(self, ground: Ground, claims: Claims, leases: Leases, *, alone: bool) -> None:
        self.ground = ground
        self._alone = alone
        self._deaths = _deaths()
        # Things that nobody can be blamed for, with the tests that ran when they appeared.
        self.strays: dict[Key, tuple[Resource, list[str]]] = {}
        self.leases = leases
        self._claims = claims
        self._blind: dict[Blind, None] = {}
        if leases.blind is not None:
            self._blind[leases.blind] = None
        self._open: dict[int, Account] = {}
        # Paths that were dealt with, and all below them: reported once, or a session-long helper's.
        self._settled: set[str] = set()
        self.session = self.current = self.open(Owner())
        self.switch(self.session)

    @property
    def blind(self) -> dict[Blind, None]:
        """The places that could not be looked at so far."""
        return self._blind | self.ground.blind

    def note(self, blind: Iterable[Blind]) -> None:
        """Count places that could not be looked at."""
        self._blind |= dict.fromkeys(blind)

    def open(self, owner: Owner) -> Account:
        """A new account."""
        account = Account(owner, self.leases.new())
        self._open[account.lease] = account
        return account

    def switch(self, account: Account) -> Account:
        """Whatever appears from now on is this account's; gives the one before."""
        self._credit()
        before, self.current = self.current, account
        self._deaths = _deaths()
        self._claims.turn(account.paths, outside=account is self.session)
        self.leases.wear(account.lease)
        return before

    def close(self, account: Account) -> None:
        """It was judged: what is left of it was reported, and is nobody's from now on."""
        del self._open[account.lease]
        self._settled |= account.paths.keys()
        account.value = None

    def settle(self, path: str) -> None:
        """Nobody is to be blamed for a path, or for anything below it."""
        self._settled.add(path)

    def fixtures(self) -> Iterator[Account]:
        """The accounts of fixtures that are set up."""
        return (account for account in self._open.values() if account.owner.fixture)

    def update(self) -> list[tuple[Account, ProcessId]]:
        """Put on the accounts what has appeared; the processes among it."""
        found = []
        for pid in self.ground.newcomers():
            account = self._open.get(self._lease(pid) or 0)
            start_time = proc.start_time(pid)
            if account is not None and start_time is not None and pid != os.getpid():
                process = ProcessId(pid, start_time)
                account.add(process)
                found.append((account, process))
        self._credit()
        return found

    def is_covered(self, path: str, account: Account, kept: Container[str]) -> bool:
        """Whether a path lies in a folder that is on this account (`kept`), or another's, or was dealt with."""
        folder = os.path.dirname(path)  # noqa: PTH120 - perhaps a thousand times a test
        while len(folder) > 1:
            others = (one.paths for one in self._open.values() if one is not account)
            if folder in kept or folder in self._settled or any(folder in paths for paths in others):
                return True
            folder = os.path.dirname(folder)  # noqa: PTH120
        return path in self._settled

    def _credit(self) -> None:
        fresh = self.ground.sweep(self.current.paths)
        self.current.things |= {thing.key: thing for thing in fresh.mine}
        for thing in fresh.strays:
            if self._is_currents():
                self.current.strays[thing.key] = thing
            else:
                self.disown(thing, self.current)

    def _is_currents(self) -> bool:
        """Whether what a dead process has made is the current owner's: such a thing names nobody.

        It must have had processes, and there must be no other pytest: no worker, and no session of somebody else.
        """
        had_processes = bool(self.current.pids) or self.leases.has_followers or self._deaths != _deaths()
        return self._alone and had_processes and not neighbours.are_there()

    def disown(self, thing: Resource, account: Account) -> None:
        """Nobody can be blamed for a thing that appeared in this account's turn; outside of tests it is not ours."""
        if account is self.session:
            return
        self.strays.setdefault(thing.key, (thing, []))[1].append(str(account.owner))

    def _lease(self, pid: int) -> int | None:
        lease = proc.lease_of(pid)
        place = f"/proc/{pid}/limits"
        if lease is None and not os.access(place, os.R_OK) and os.path.exists(place):  # noqa: PTH110 - of /proc
            self._blind[Blind(Kind.PROCESS, place, "it can't be read, so nobody knows who started the process")] = None
        return lease


def _deaths() -> int:
    """Something that grows with each child that has ended and was waited for: its faults are added to ours."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
