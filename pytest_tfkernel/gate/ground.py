"""What pytest's own process holds, and what exists on the machine by itself: swept again and again, cheaply.

A kind that can't be read keeps the picture it had. What is new in it when it can be read again appeared while nobody
looked: if a turn has ended meanwhile, it is of nobody.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pytest_tfkernel._child import proc, system
from pytest_tfkernel.audit.probes.devices import GPUS
from pytest_tfkernel.audit.table import Entry, Table
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Holder, Key, Kind, Resource

_SEMAPHORE = "sem."
_SOCKET = "socket:["
_LOCK_FIELDS = 8
_SWEPT = (Kind.SOCKET, Kind.LOCK, Kind.SEGMENT, Kind.SHARED_MEMORY)


@dataclass
class Fresh:
    """What is new since the last sweep: what pytest's process holds or has made, and what somebody else left.

    `handles` are descriptors by number, with what they lead to. `doubtful` is what may be of an earlier turn.
    """

    mine: list[Resource] = field(default_factory=list)
    strays: list[Resource] = field(default_factory=list)
    doubtful: list[Resource] = field(default_factory=list)
    handles: dict[str, str] = field(default_factory=dict)


class UnreadError(Exception):
    """A kind of things can't be read now; where that was is noted already."""


class Ground:
    """`present` is what was there at the last sweep; `devices` and `handles` are what pytest's process has open then.

    `sockets` are its descriptors by the inodes of sockets.
    """

    def __init__(self, root: str = "/proc", shared: str = "/dev/shm") -> None:  # noqa: S108 - where Linux keeps it
        self.root = root
        self._shared = shared
        # Each place once, however often it was tried.
        self.blind: dict[Blind, None] = {}
        self.present: dict[Key, Resource] = {}
        self.devices: set[str] = set()
        self.sockets: dict[str, int] = {}
        self.handles: dict[str, str] = {}
        self._processes: dict[str, int] = {}
        self._unread: set[Kind] = set()
        # Those of which a turn has ended unread; the first picture is nobody's.
        self._missed: set[Kind] = {Kind.PROCESS, *_SWEPT}
        self.newcomers()
        if Kind.PROCESS not in self._unread and "1" not in self._processes:
            self.blind[Blind(Kind.PROCESS, root, "processes of other users are hidden (hidepid)")] = None
        self.sweep()

    def sees(self, kind: Kind) -> bool:
        """Whether the last look at a kind went well: else what is known of it may have gone since."""
        return (Kind.SHARED_MEMORY if kind is Kind.SEMAPHORE else kind) not in self._unread

    def pass_on(self) -> None:
        """A turn has ended: what wasn't seen in it can't be told from what comes in the next."""
        self._missed |= self._unread

    def newcomers(self) -> tuple[list[int], bool]:
        """The processes that have come since the last call, and whether all of them have come in this turn.

        The inode of a folder in /proc is a new one for each process, also for one with a pid that was used before.
        It can change while a process lives, which then is looked at once more.
        """
        try:
            now = {name: inode for name, inode in system.inodes(self.root) if name.isdigit()}
        except OSError as error:
            self._unread.add(Kind.PROCESS)
            self.note(Kind.PROCESS, self.root, error)
            return [], False
        before, self._processes = self._processes, now
        is_certain = Kind.PROCESS not in self._missed
        self._unread.discard(Kind.PROCESS)
        self._missed.discard(Kind.PROCESS)
        return [int(name) for name, inode in now.items() if before.get(name) != inode], is_certain

    def put_off(self, pid: int, place: str, error: OSError) -> None:
        """A process that couldn't be looked at is a newcomer once more."""
        self._processes.pop(str(pid), None)
        self._unread.add(Kind.PROCESS)
        self.note(Kind.PROCESS, place, error)

    def sweep(self, claimed: Container[str] = (), makers: Container[int] = ()) -> Fresh:
        """Look again. What is `claimed` (paths) has an owner already; what these `makers` (pids) have made is ours."""
        fresh = Fresh()
        before, self.present = self.present, {}
        open_shared: set[int] = set()
        readers: dict[Kind, Callable[[Fresh], Iterator[Resource]]] = {
            Kind.SOCKET: lambda new: self._own_descriptors(new, open_shared),
            Kind.LOCK: self._own_locks,
            Kind.SEGMENT: lambda new: self._segments(before, new, makers),
            Kind.SHARED_MEMORY: lambda new: self._shared_memory(before, new, open_shared, claimed),
        }
        for kind, read in readers.items():
            new = Fresh()
            try:
                found = {one.key: one for one in read(new)}
            except UnreadError:
                self._unread.add(kind)
                alike = (kind, Kind.SEMAPHORE) if kind is Kind.SHARED_MEMORY else (kind,)
                self.present |= {key: one for key, one in before.items() if key[0] in alike}
                continue
            if kind in (Kind.SOCKET, Kind.LOCK):
                new.mine = [one for key, one in found.items() if key not in before]
            self.present |= found
            self._add(fresh, new, is_certain=kind not in self._missed)
            self._unread.discard(kind)
            self._missed.discard(kind)
        return fresh

    @staticmethod
    def _add(fresh: Fresh, new: Fresh, *, is_certain: bool) -> None:
        if is_certain:
            fresh.mine += new.mine
            fresh.strays += new.strays
            fresh.handles |= new.handles
        else:
            fresh.doubtful += (*new.mine, *new.strays)

    def _own_descriptors(self, fresh: Fresh, shared_inodes: set[int]) -> Iterator[Resource]:
        handles, sockets, devices = {}, {}, set()
        for name in self._names(f"{self.root}/self/fd"):
            place = f"{self.root}/self/fd/{name}"
            try:
                target = system.link(place)
                if target.startswith(_SOCKET):
                    sockets[target[len(_SOCKET) : -1]] = int(name)
                elif target.startswith(self._shared):
                    shared_inodes.add(system.status(place).st_ino)
                elif GPUS.match(target):
                    devices.add(target)
            except FileNotFoundError:
                continue  # closed meanwhile
            except OSError as error:
                raise self._unreadable(Kind.HANDLE, place, error) from None
            handles[name] = target
        fresh.handles = dict(handles.items() - self.handles.items())
        self.handles, self.sockets, self.devices = handles, sockets, devices
        for inode in sockets:
            yield Resource(Kind.SOCKET, "", inode, (me(),))

    def _own_locks(self, _: Fresh) -> Iterator[Resource]:
        mine = str(system.pid())
        for line in self._lines("locks", Kind.LOCK):
            fields = line.split()
            if len(fields) == _LOCK_FIELDS and fields[4] == mine:
                yield Resource(Kind.LOCK, fields[5], fields[1], (me(),), fields[1])

    def _segments(self, before: Container[Key], fresh: Fresh, makers: Container[int]) -> Iterator[Resource]:
        lines = self._lines("sysvipc/shm", Kind.SEGMENT)
        names = lines[0].split() if lines else []
        for line in lines[1:]:
            row = dict(zip(names, line.split(), strict=False))
            try:
                creator, detail = int(row["cpid"]), f"{row['size']} bytes, made by process {row['cpid']}"
                segment = Resource(Kind.SEGMENT, f"shmid {row['shmid']}", row["ctime"], detail=detail)
                is_own_users = int(row["cuid"]) == os.geteuid()
            except (KeyError, ValueError):
                continue
            yield segment
            if segment.key in before:
                continue
            if creator == system.pid() or creator in makers:
                fresh.mine.append(segment)
            elif is_own_users and self._has_ended(creator):
                fresh.strays.append(segment)

    def _has_ended(self, pid: int) -> bool:
        try:
            return proc.find_stat(pid) is None
        except OSError as error:
            raise self._unreadable(Kind.SEGMENT, f"{self.root}/{pid}/stat", error) from None

    def _shared_memory(
        self, before: dict[Key, Resource], fresh: Fresh, open_inodes: set[int], claimed: Container[str]
    ) -> Iterator[Resource]:
        news: dict[int, Resource] = {}
        for path, inode in self._entries():
            kind = Kind.SEMAPHORE if path.rpartition("/")[2].startswith(_SEMAPHORE) else Kind.SHARED_MEMORY
            thing = Resource(kind, path, str(inode))
            if thing.key not in before and path not in claimed:
                news[inode] = thing
            yield before.get(thing.key, thing)
        if not news:
            return
        if Kind.SOCKET in self._unread:
            raise UnreadError
        used = open_inodes | self._mapped()
        for inode, thing in news.items():
            if inode in used:
                fresh.mine.append(thing)
            elif self._is_own_users(thing.name):
                fresh.strays.append(thing)

    def _entries(self) -> Iterator[tuple[str, int]]:
        try:
            entries = system.inodes(self._shared)
        except OSError as error:
            raise self._unreadable(Kind.SHARED_MEMORY, self._shared, error) from None
        return ((f"{self._shared}/{name}", inode) for name, inode in entries)

    def _mapped(self) -> set[int]:
        """The inodes of shared memory that pytest's process maps."""
        table = Table(Path(self.root))
        entry = Entry(me().process, os.getppid(), 0, "R", 1)
        found = {inode for _, inode in table.mapped([entry], os.fsencode(self._shared), Kind.SHARED_MEMORY)}
        self.blind |= dict.fromkeys(table.blind)
        if table.is_torn:
            raise UnreadError
        return found

    @staticmethod
    def _is_own_users(path: str) -> bool:
        try:
            return system.own_status(path).st_uid == os.geteuid()
        except OSError:
            return False

    def _names(self, folder: str) -> list[str]:
        try:
            return system.names(folder)
        except OSError as error:
            raise self._unreadable(Kind.HANDLE, folder, error) from None

    def _lines(self, name: str, kind: Kind) -> list[str]:
        place = f"{self.root}/{name}"
        try:
            return system.read(place).decode("utf-8", "surrogateescape").splitlines()
        except FileNotFoundError:
            return []  # a Linux kernel without them
        except OSError as error:
            raise self._unreadable(kind, place, error) from None

    def _unreadable(self, kind: Kind, place: str, error: OSError) -> UnreadError:
        self.note(kind, place, error)
        return UnreadError(place)

    def note(self, kind: Kind, place: str, error: OSError) -> None:
        """Count a place that can't be read."""
        self.blind[Blind(kind, place, error.strerror or str(error))] = None


def me() -> Holder:
    """Pytest's own process, or the fork of it that this is."""
    return _holder(system.pid())


@functools.cache
def _holder(pid: int) -> Holder:
    return Holder(ProcessId(pid, proc.start_time(pid) or 0), "pytest itself")
