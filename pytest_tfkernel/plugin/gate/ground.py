"""What pytest's own process holds, and what exists on the machine by itself: swept again and again, cheaply."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pytest_tfkernel._child import proc
from pytest_tfkernel.audit.probes.devices import GPUS
from pytest_tfkernel.audit.table import Entry, Table
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Holder, Key, Kind, Resource

_SEMAPHORE = "sem."
_SOCKET = "socket:["
_LOCK_FIELDS = 8


@dataclass
class Fresh:
    """What is new since the last sweep: what pytest's process holds or has made, and what somebody else left."""

    mine: list[Resource] = field(default_factory=list)
    strays: list[Resource] = field(default_factory=list)


class Ground:
    """`present` is what was there at the last sweep. `devices` are those that pytest's process has open then."""

    def __init__(self, root: str = "/proc", shared: str = "/dev/shm") -> None:  # noqa: S108 - where Linux keeps it
        self._root = root
        self._shared = shared
        # Each place once, however often it was tried.
        self.blind: dict[Blind, None] = {}
        self.present: dict[Key, Resource] = {}
        self.devices: set[str] = set()
        self._descriptors: dict[str, int] = {}
        self._processes = self._scan()
        if "1" not in self._processes:
            self.blind[Blind(Kind.PROCESS, root, "processes of other users are hidden (hidepid)")] = None
        self.sweep()

    def newcomers(self) -> list[int]:
        """The processes that have come since the last call.

        The inode of a folder in /proc is a new one for each process, also for one with a pid that was used before.
        It can change while a process lives, which then is looked at once more.
        """
        now, before = self._scan(), self._processes
        self._processes = now
        return [int(name) for name, inode in now.items() if before.get(name) != inode]

    def sweep(self, claimed: Container[str] = ()) -> Fresh:
        """Look again. What is `claimed` (paths) has an owner already."""
        now: dict[Key, Resource] = {}
        shared_inodes: set[int] = set()
        self._own_descriptors(now, shared_inodes)
        self._own_locks(now)
        fresh = Fresh([one for key, one in now.items() if key not in self.present])
        self._segments(now, fresh)
        self._shared_memory(now, fresh, shared_inodes, claimed)
        self.present = now
        return fresh

    def listening(self, thing: Resource) -> Resource | None:
        """A socket of pytest's by its address; None when nobody can connect to it."""
        descriptor = self._descriptors.get(thing.identity)
        try:
            copy = os.dup(descriptor) if descriptor is not None else -1
        except OSError:
            return None
        try:
            with socket.socket(fileno=copy) as one:
                if not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    return None
                family, address = one.family, one.getsockname()
        except (OSError, ValueError):
            return None
        if family == socket.AF_UNIX:
            name = address.decode("utf-8", "backslashreplace") if isinstance(address, bytes) else address
            return Resource(Kind.SOCKET, name.replace("\0", "@"), thing.identity, thing.holders, "Unix socket")
        if family in {socket.AF_INET, socket.AF_INET6}:
            name = f"{'tcp' if family == socket.AF_INET else 'tcp6'} {address[0]}:{address[1]}"
        else:
            name = f"{family!s} {address}"
        return Resource(Kind.SOCKET, name, thing.identity, thing.holders, "listening")

    def path_of(self, lock: Resource) -> str:
        """The path of a locked file that pytest has open; its number where it is open no more."""
        for name in self._names(f"{self._root}/self/fd"):
            place = f"{self._root}/self/fd/{name}"
            try:
                found = os.stat(place)  # noqa: PTH116 - a link of /proc
                number = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
                if number == lock.name:
                    return os.readlink(place)  # noqa: PTH115 - a link of /proc
            except OSError:
                continue
        return lock.name

    def _scan(self) -> dict[str, int]:
        try:
            with os.scandir(self._root) as entries:
                return {entry.name: entry.inode() for entry in entries if entry.name.isdigit()}
        except OSError as error:
            self._note(Kind.PROCESS, self._root, error)
            return {}

    def _own_descriptors(self, now: dict[Key, Resource], shared_inodes: set[int]) -> None:
        self._descriptors, self.devices = {}, set()
        for name in self._names(f"{self._root}/self/fd"):
            place = f"{self._root}/self/fd/{name}"
            try:
                target = os.readlink(place)  # noqa: PTH115 - it may be no path
                if target.startswith(_SOCKET):
                    inode = target[len(_SOCKET) : -1]
                    self._descriptors[inode] = int(name)
                    thing = Resource(Kind.SOCKET, "", inode, (me(),))
                    now[thing.key] = thing
                elif target.startswith(self._shared):
                    shared_inodes.add(os.stat(place).st_ino)  # noqa: PTH116 - a link of /proc
                elif GPUS.match(target):
                    self.devices.add(target)
            except OSError:
                continue  # closed meanwhile

    def _own_locks(self, now: dict[Key, Resource]) -> None:
        mine = str(os.getpid())
        for line in self._lines("locks", Kind.LOCK):
            fields = line.split()
            if len(fields) == _LOCK_FIELDS and fields[4] == mine:
                lock = Resource(Kind.LOCK, fields[5], fields[1], (me(),), fields[1])
                now[lock.key] = lock

    def _segments(self, now: dict[Key, Resource], fresh: Fresh) -> None:
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
            now[segment.key] = segment
            if segment.key in self.present:
                continue
            if creator == os.getpid():
                fresh.mine.append(segment)
            elif is_own_users and proc.start_time(creator) is None:
                fresh.strays.append(segment)

    def _shared_memory(
        self, now: dict[Key, Resource], fresh: Fresh, open_inodes: set[int], claimed: Container[str]
    ) -> None:
        news: dict[int, Resource] = {}
        for path, inode in self._entries():
            kind = Kind.SEMAPHORE if path.rpartition("/")[2].startswith(_SEMAPHORE) else Kind.SHARED_MEMORY
            thing = Resource(kind, path, str(inode))
            now[thing.key] = self.present.get(thing.key, thing)
            if thing.key not in self.present and path not in claimed:
                news[inode] = thing
        if not news:
            return
        used = open_inodes | self._mapped()
        for inode, thing in news.items():
            if inode in used:
                fresh.mine.append(thing)
            elif self._is_own_users(thing.name):
                fresh.strays.append(thing)

    def _entries(self) -> Iterator[tuple[str, int]]:
        try:
            with os.scandir(self._shared) as entries:
                for entry in entries:
                    yield entry.path, entry.inode()
        except OSError as error:
            self._note(Kind.SHARED_MEMORY, self._shared, error)

    def _mapped(self) -> set[int]:
        """The inodes of shared memory that pytest's process maps."""
        table = Table(Path(self._root))
        entry = Entry(me().process, os.getppid(), 0, "R", 1)
        found = {inode for _, inode in table.mapped([entry], os.fsencode(self._shared), Kind.SHARED_MEMORY)}
        self.blind |= dict.fromkeys(table.blind)
        return found

    @staticmethod
    def _is_own_users(path: str) -> bool:
        try:
            return os.lstat(path).st_uid == os.geteuid()
        except OSError:
            return False

    def _names(self, folder: str) -> list[str]:
        try:
            return os.listdir(folder)  # noqa: PTH208 - at each sweep
        except OSError as error:
            self._note(Kind.HANDLE, folder, error)
            return []

    def _lines(self, name: str, kind: Kind) -> list[str]:
        try:
            with open(f"{self._root}/{name}", "rb") as file:  # noqa: PTH123 - at each sweep
                return file.read().decode("utf-8", "surrogateescape").splitlines()
        except FileNotFoundError:
            return []  # a Linux kernel without them
        except OSError as error:
            self._note(kind, f"{self._root}/{name}", error)
            return []

    def _note(self, kind: Kind, place: str, error: OSError) -> None:
        self.blind[Blind(kind, place, error.strerror or str(error))] = None


def me() -> Holder:
    """Pytest's own process, or the fork of it that this is."""
    return _holder(os.getpid())


@functools.cache
def _holder(pid: int) -> Holder:
    return Holder(ProcessId(pid, proc.start_time(pid) or 0), "pytest itself")
