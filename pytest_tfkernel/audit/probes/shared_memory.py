"""POSIX shared memory and named semaphores: files below /dev/shm (shm_overview(7), sem_overview(7))."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_tfkernel._child import system
from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.table import Entry, Table
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Key, Kind, Resource

_SEMAPHORE = "sem."
_OTHERS = 0o066


class SharedMemory:
    """See `Probe`."""

    def __init__(self, folder: Path = Path("/dev/shm")) -> None:  # noqa: S108 - where Linux keeps it
        self._folder = folder

    def existing(self, table: Table) -> Iterator[Key]:
        """Every object there is."""
        for resource in self._objects(table).values():
            yield resource.key

    def held(self, look: Look) -> Iterator[Resource]:
        """Those that members map or have open, and that have a name still."""
        objects = self._objects(look.table)
        holders: dict[int, set[ProcessId]] = {}
        for process, inode in self._uses(look.table, look.members):
            holders.setdefault(inode, set()).add(process)
        for inode in sorted(holders.keys() & objects.keys()):
            processes = sorted(holders[inode], key=lambda process: process.pid)
            yield dataclasses.replace(objects[inode], holders=tuple(map(look.table.holder, processes)))

    def persists(self, table: Table, resource: Resource) -> bool:
        """Whether it has its name still, and nobody else on the machine uses it."""
        try:
            stat = system.own_status(resource.name)
        except OSError:
            return False
        if str(stat.st_ino) != resource.identity:
            return False
        others = (entry for entry in table.entries.values() if _may_open(table, entry, stat))
        return all(used != stat.st_ino for _, used in self._uses(table, others))

    def _uses(self, table: Table, entries: Iterable[Entry]) -> Iterator[tuple[ProcessId, int]]:
        """By inode: a semaphore is made under another name, and gets its own when it is ready (glibc)."""
        members = list(entries)
        prefix = f"{self._folder}/"
        yield from table.mapped(members, os.fsencode(prefix), Kind.SHARED_MEMORY)
        for link in table.links(members):
            if link.target.startswith(prefix):
                with contextlib.suppress(OSError):
                    yield link.process, system.status(f"{link.task}/fd/{link.descriptor}").st_ino

    def _objects(self, table: Table) -> dict[int, Resource]:
        """What has a name, by inode."""
        found = {}
        try:
            for name, inode in system.inodes(str(self._folder)):
                path = f"{self._folder}/{name}"
                with contextlib.suppress(OSError):
                    found[inode] = _resource(path, system.own_status(path))
        except OSError as error:
            table.note(Kind.SHARED_MEMORY, str(self._folder), error)
        return found


def _may_open(table: Table, entry: Entry, stat: os.stat_result) -> bool:
    """Whether a process is of the object's own user, or others may open it. We may not look at those of other users."""
    if stat.st_mode & _OTHERS:
        return True
    try:
        return system.status(f"{table.root}/{entry.process.pid}").st_uid == stat.st_uid
    except OSError:
        return False  # it has ended


def _resource(path: str, stat: os.stat_result) -> Resource:
    kind = Kind.SEMAPHORE if Path(path).name.startswith(_SEMAPHORE) else Kind.SHARED_MEMORY
    return Resource(kind, path, str(stat.st_ino), detail=f"{stat.st_size} bytes")
