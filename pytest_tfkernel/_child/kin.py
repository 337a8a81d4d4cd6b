"""Who belongs to whom, among the processes below the supervisor.

That a process is ours at all is told by its ancestors alone: whoever is below the supervisor was started by us or by
somebody whom we started, since it is a subreaper. Nobody else is ever looked at, whatever number they wear.

Whose it is, is told by its parent, and where that one is gone, by what a process inherits: its session and group, its
cgroup, its lease, the token in its environment. It may shed each of these, so any one of them is enough. What has shed
them all, and has left its parent before anybody looked, is of the one kernel that lived when it was started; with
several it is nobody's.
"""

import os
import time
from collections.abc import Callable, Iterable

from . import proc
from .proc import Process

# In the environment of a process that we start, for people, and for us where its limits were changed.
TOKEN = "PYTEST_TFKERNEL_LEASE"

_Key = tuple[int, int]  # pid and start time
_TICKS = os.sysconf("SC_CLK_TCK")


def _key(one: Process) -> _Key:
    return one["pid"], one["start_time"]


def _start_of(pair: tuple[_Key, int]) -> int:
    return pair[0][1]


class Kin:
    """What is known of the processes below `root`. Owners are the numbers of leases, worn or not."""

    def __init__(self, root: int, uptime: Callable[[], float] | None = None) -> None:
        self._root = root
        self._uptime = uptime or _uptime
        # Those of which we were told, and those that were seen below them.
        self._told: dict[_Key, int] = {}
        self._seen: dict[_Key, int] = {}
        self._cgroups: dict[str, int] = {}
        # Of each kernel, when it began and died, in ticks since boot; and what was there at the first look after that.
        self._lives: dict[_Key, int | None] = {}
        self._left: dict[_Key, frozenset[_Key]] = {}

    def told(self, pid: int, start_time: int, owner: int) -> None:
        """Whatever this process starts is `owner`'s."""
        self._told[pid, start_time] = owner

    def claim(self, pid: int, start_time: int, owner: int, cgroups: Iterable[str]) -> None:
        """The same of a kernel, and of whatever is in these cgroups, which are its own; their names are unique."""
        self.told(pid, start_time, owner)
        self._lives.setdefault((pid, start_time), None)
        self._cgroups.update(dict.fromkeys(cgroups, owner))

    def died(self, pid: int, start_time: int) -> None:
        """A process is dead, and starts nothing more."""
        if (pid, start_time) in self._lives:
            self._lives[pid, start_time] = int(self._uptime() * _TICKS)

    def members(self, owner: int, below: list[Process]) -> list[Process]:
        """Those of `below`, all the processes below the root, that are this owner's; parents before children."""
        owners = self._look(below, owner)
        return [one for one in below if owners[one["pid"]] == owner]

    def doubtful(self, owner: int, below: list[Process]) -> list[Process]:
        """Those that are this owner's or another one's; nobody can tell."""
        owners = self._look(below, owner)
        return [one for one in below if owners[one["pid"]] is None and owner in self._possible(one)]

    def _look(self, below: list[Process], asked: int) -> dict[int, int | None]:
        """The owner of each, by pid; what is known for certain is remembered."""
        owners: dict[int, int | None] = {}
        guessed: set[int] = set()
        known = {*self._told.values(), asked}
        # The latest of each pid, unless another process has that by now.
        there = dict(map(_key, below))
        noted = sorted({**self._seen, **self._told}.items(), key=_start_of)
        leaders = {pid: owner for (pid, start), owner in noted if there.get(pid, start) == start}
        for one in below:
            pid, parent = one["pid"], one["parent"]
            owner = self._told.get(_key(one))
            if owner is None and parent not in guessed:
                owner = owners.get(parent)
            if owner is None:
                owner = self._seen.get(_key(one))
            if owner is None:
                owner = self._by_sign(one, leaders, known)
            if owner is None:
                owner = owners.get(parent) if parent in guessed else self._by_time(one)
                guessed.add(pid)
            else:
                self._seen[_key(one)] = leaders[pid] = owner
            owners[pid] = owner
        for key, death in self._lives.items():
            if death is not None and key not in self._left:
                self._left[key] = frozenset(_key(one) for one in below if one["pid"] in guessed)
        self._forget(below)
        return owners

    def _by_sign(self, one: Process, leaders: dict[int, int], known: set[int]) -> int | None:
        # The number of a session or group isn't given to a new process as long as it has a member.
        for leader in (one["session"], one["group"]):
            if leader in leaders:
                return leaders[leader]
        for name in proc.cgroups_of(one["pid"]):
            if name in self._cgroups:
                return self._cgroups[name]
        for number in (proc.lease_of(one["pid"]), proc.variable_of(one["pid"], TOKEN)):
            if number in known:
                return number
        return None

    def _by_time(self, one: Process) -> int | None:
        """The owner of the one kernel that can have started it."""
        possible = self._possible(one)
        return possible.pop() if len(possible) == 1 else None

    def _possible(self, one: Process) -> set[int]:
        """The owners of all kernels that lived when it was started."""
        began = one["start_time"]
        found = set()
        for key, death in self._lives.items():
            # A tick is long: in that of its death others may have begun. What was not there then isn't its own.
            is_late = death is not None and (began > death or _key(one) not in self._left.get(key, (_key(one),)))
            if key[1] <= began and not is_late:
                found.add(self._told[key])
        return found

    def _forget(self, below: list[Process]) -> None:
        """Those that are gone, and are no leaders of any that is there."""
        needed = {number for one in below for number in (one["pid"], one["session"], one["group"])}
        self._seen = {key: owner for key, owner in self._seen.items() if key[0] in needed}


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
