"""File locks (proc_locks(5)). One taken with flock lives as long as any process holds the open file."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Holder, Key, Kind, Resource

_FIELDS = 8


class Locks:
    """See `Probe`."""

    def existing(self, _: Table) -> Iterator[Key]:
        """A lock names the process that took it."""
        return iter(())

    def held(self, look: Look) -> Iterator[Resource]:
        """Those that a member has taken, living or dead."""
        for line in look.table.lines("locks", Kind.LOCK):
            fields = line.split()
            # One that is waited for has an arrow in its second field, and is nobody's yet.
            if len(fields) != _FIELDS or not fields[4].lstrip("-").isdigit():
                continue
            kind, pid, file = fields[1], int(fields[4]), fields[5]
            if pid in look.pids:
                yield _resource(look, kind, pid, file)

    def persists(self, _: Table, __: Resource) -> bool:
        """A lock that no member took is another's."""
        return False


def _resource(look: Look, kind: str, pid: int, file: str) -> Resource:
    path, holders = file, []
    for link in look.table.links(look.members):
        if link.target.startswith("/") and _number(link.process.pid, link.descriptor) == file:
            path = link.target
            holders.append(look.table.holder(link.process))
    unique: tuple[Holder, ...] = tuple(dict.fromkeys(holders))
    return Resource(Kind.LOCK, path, f"{kind} {file} {pid}", unique, f"{kind}, taken by process {pid}")


def _number(pid: int, descriptor: int) -> str:
    """Device and inode of an open file, as proc_locks(5) writes them."""
    try:
        stat = os.stat(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH116 - a link of /proc
    except OSError:
        return ""
    return f"{os.major(stat.st_dev):02x}:{os.minor(stat.st_dev):02x}:{stat.st_ino}"
