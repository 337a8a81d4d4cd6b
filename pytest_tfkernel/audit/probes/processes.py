"""Processes and zombies, and the threads that a dead first thread has left."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.table import Entry, Table
from pytest_tfkernel.model.resources import Key, Kind, Resource


class Processes:
    """See `Probe`."""

    def existing(self, _: Table) -> Iterator[Key]:
        """None of the members: they are told by their lease."""
        return iter(())

    def held(self, look: Look) -> Iterator[Resource]:
        """Every member but the owner while it lives."""
        for entry in look.members:
            if entry.process != look.owner or entry.is_dead:
                yield _resource(look.table, entry)

    def persists(self, _: Table, __: Resource) -> bool:
        """A process that is no member any more has ended."""
        return False


def _resource(table: Table, entry: Entry) -> Resource:
    holder = table.holder(entry.process)
    identity = str(entry.process.start_time)
    age = "" if holder.age is None else f", {holder.age:.1f} s old"
    if entry.is_empty:
        return Resource(Kind.ZOMBIE, str(entry.process), identity, detail=f"{holder.command}{age}, of {entry.parent}")
    if entry.is_dead:
        detail = f"{entry.threads - 1} of {holder.command or 'it'} run on after its first one{age}"
        return Resource(Kind.THREAD, str(entry.process), identity, detail=detail)
    return Resource(Kind.PROCESS, str(entry.process), identity, detail=f"{holder.command or 'no command line'}{age}")
