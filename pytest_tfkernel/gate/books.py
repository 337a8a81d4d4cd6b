"""The accounts that are open, and the one to which whatever appears now belongs."""

from __future__ import annotations

import resource
from collections.abc import Container, Iterable, Iterator

from pytest_tfkernel.gate import neighbours
from pytest_tfkernel.gate.accounts import Account, Owner
from pytest_tfkernel.gate.claims import Claims
from pytest_tfkernel.gate.descent import Descent
from pytest_tfkernel.gate.descriptors import Descriptors
from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.gate.helpers import Helpers
from pytest_tfkernel.gate.leases import Leases
from pytest_tfkernel.gate.threads import Threads
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Key, Kind, Resource

# What exists without a process that holds it.
_BY_THEMSELVES = (Kind.SHARED_MEMORY, Kind.SEMAPHORE, Kind.SEGMENT)


class Books:
    """Keeps them.

    `session` is the account of what happens outside of tests, `blind` what could not be seen. Nobody can be blamed for
    `strays`, things with the tests that ran when they appeared, and for `foundlings`, processes that have become
    pytest's children. `late` are processes of those whose account was closed when nobody could look at them.
    """

    def __init__(self, ground: Ground, claims: Claims, leases: Leases, helpers: Helpers, *, alone: bool) -> None:
        self.ground = ground
        self._alone = alone
        self._deaths = _deaths()
        self.strays: dict[Key, tuple[Resource, list[str]]] = {}
        self.foundlings: dict[ProcessId, str] = {}
        self.late: dict[ProcessId, Owner] = {}
        self.leases = leases
        self.helpers = helpers
        self._descent = Descent(ground, leases, helpers)
        self._claims = claims
        self._threads = Threads()
        self.descriptors = Descriptors()
        self._blind: dict[Blind, None] = {}
        # Closed while no process could be looked at: what they have started may not have been seen.
        self._unseen: dict[int, Owner] = {}
        self._open: dict[int, Account] = {}
        # Paths that were dealt with, and all below them: reported once, or a session-long helper's.
        self._settled: set[str] = set()
        self.session = self.current = self.open(Owner())
        self.switch(self.session)

    @property
    def blind(self) -> dict[Blind, None]:
        """The places that could not be looked at so far."""
        refused = {self.leases.blind: None} if self.leases.blind is not None else {}
        return refused | self._blind | self.ground.blind

    def note(self, blind: Iterable[Blind]) -> None:
        """Count places that could not be looked at."""
        self._blind |= dict.fromkeys(blind)

    def open(self, owner: Owner) -> Account:
        """A new account."""
        account = Account(owner, self.leases.new())
        self._open[account.lease] = account
        return account

    def switch(self, account: Account, *, looked: bool = False) -> Account:
        """Whatever appears from now on is this account's; gives the one before.

        What has come until now is that one's: it is looked at once more, unless it was `looked` at just now.
        """
        try:
            if not looked:
                self.update()
        finally:
            # Whatever went wrong, the next one has its turn.
            before, self.current = self.current, account
            self.ground.pass_on()
            self._deaths = _deaths()
            self._claims.turn(account.paths, outside=account is self.session)
            self.leases.wear(account.lease)
        return before

    def close(self, account: Account) -> None:
        """It was judged: what is left of it was reported, and is nobody's from now on."""
        del self._open[account.lease]
        if not self.ground.sees(Kind.PROCESS):
            self._unseen[account.lease] = account.owner
        self._settled |= account.paths.keys()
        account.value = None

    def settle(self, path: str) -> None:
        """Nobody is to be blamed for a path, or for anything below it."""
        self._settled.add(path)

    def fixtures(self) -> Iterator[Account]:
        """The accounts of fixtures that are set up."""
        return (account for account in self._open.values() if account.owner.fixture)

    def update(self) -> None:
        """Put on the accounts what has appeared."""
        arrivals = self._descent.arrivals(tuple(self._open.values()), self.current)
        self.helpers.meet(arrivals.of)
        self.foundlings |= dict.fromkeys(arrivals.foundlings, str(self.current.owner))
        for lease, process in arrivals.late:
            if lease in self._unseen:
                self.late[process] = self._unseen[lease]
        if self.ground.sees(Kind.PROCESS):
            self._unseen.clear()
        self._credit()

    def is_covered(self, path: str, account: Account, kept: Container[str]) -> bool:
        """Whether a path lies in a folder that is on this account (`kept`), or another's, or was dealt with."""
        folder = path.rpartition("/")[0]
        while len(folder) > 1:
            others = (one.paths for one in self._open.values() if one is not account)
            if folder in kept or folder in self._settled or any(folder in paths for paths in others):
                return True
            folder = folder.rpartition("/")[0]
        return path in self._settled

    def _credit(self) -> None:
        # Outside of tests they are those of other plugins, which end them when pytest is about to end.
        news = {id(one): one for one in self._threads.newcomers()}
        self.current.threads |= news if self.current is not self.session else {}
        fresh = self.ground.sweep(self.current.paths)
        owner = str(self.current.owner) if self.current is not self.session else ""
        self.descriptors.note(fresh.handles, self.ground.handles, owner)
        self.current.things |= {thing.key: thing for thing in fresh.mine}
        for thing in fresh.strays:
            if self._is_currents():
                self.current.strays[thing.key] = thing
            else:
                self.disown(thing, self.current)
        for thing in fresh.doubtful:
            if thing.kind in _BY_THEMSELVES:
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


def _deaths() -> int:
    """Something that grows with each child that has ended and was waited for: its faults are added to ours."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
