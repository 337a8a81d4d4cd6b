"""File locks, as the open files that hold them tell (proc_pid_fdinfo(5)).

Not /proc/locks: in a container it hides the locks of processes that have ended, and one taken with flock lives as
long as any process holds the open file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.table import Link, Table
from pytest_tfkernel.model.resources import Key, Kind, Resource

_LOCK = b"lock:"
# Number, kind, mode, type, process, file, first and last byte.
_FIELDS = 8
# Instead of a process: it has ended and is of another pid namespace, or the open file itself holds the lock.
_NOBODY = {"0", "-1"}


class Locks:
    """See `Probe`."""

    def existing(self, _: Table) -> Iterator[Key]:
        """A lock is of the processes that hold the open file."""
        return iter(())

    def held(self, look: Look) -> Iterator[Resource]:
        """Those of the open files of members, whoever took them; each once with all its holders."""
        found: dict[Key, Resource] = {}
        for link in look.table.links(look.members):
            # Other targets are no files: sockets, pipes.
            for lock in _locks(look.table, link) if link.target.startswith("/") else ():
                before = found.get(lock.key, lock).holders
                holders = dict.fromkeys((*before, look.table.holder(link.process)))
                found[lock.key] = dataclasses.replace(lock, holders=tuple(holders))
        yield from found.values()

    def persists(self, _: Table, __: Resource) -> bool:
        """A lock that no member holds is another's, or gone."""
        return False


def _locks(table: Table, link: Link) -> Iterator[Resource]:
    text = table.read(f"{link.task}/fdinfo/{link.descriptor}", Kind.LOCK, link.task)
    for line in text.split(b"\n"):
        fields = line.removeprefix(_LOCK).decode("ascii", "replace").split()
        if line.startswith(_LOCK) and len(fields) == _FIELDS:
            kind, taker, file = fields[1], fields[4], fields[5]
            detail = kind if taker in _NOBODY else f"{kind}, taken by process {taker}"
            yield Resource(Kind.LOCK, link.target, f"{kind} {file}", detail=detail)
