"""System V shared memory (sysvipc(7)); the Linux kernel keeps who made a segment."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Key, Kind, Resource

_FILE = "sysvipc/shm"


class Segments:
    """See `Probe`."""

    def existing(self, table: Table) -> Iterator[Key]:
        """Every segment there is."""
        for _, resource in _segments(table):
            yield resource.key

    def held(self, look: Look) -> Iterator[Resource]:
        """Those that a member has made, whoever is attached."""
        for creator, resource in _segments(look.table):
            if creator in look.pids:
                yield resource

    def persists(self, _: Table, __: Resource) -> bool:
        """What a dead member has made is among the held ones."""
        return False


def _segments(table: Table) -> Iterator[tuple[int, Resource]]:
    lines = table.lines(_FILE, Kind.SEGMENT)
    names = lines[0].split() if lines else []
    for line in lines[1:]:
        row = dict(zip(names, line.split(), strict=False))
        try:
            detail = f"{row['size']} bytes, made by process {row['cpid']}, {row['nattch']} attached"
            yield int(row["cpid"]), Resource(Kind.SEGMENT, f"shmid {row['shmid']}", row["ctime"], detail=detail)
        except (KeyError, ValueError):
            continue  # not a line that sysvipc(7) knows
