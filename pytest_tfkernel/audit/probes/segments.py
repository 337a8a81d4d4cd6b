"""System V shared memory (sysvipc(7)); the Linux kernel keeps who made a segment, but not who uses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Key, Kind, Resource

_FILE = "sysvipc/shm"
# Its name in the maps of those that are attached; its number stands there as an inode.
_MAPPED = b"/SYSV"
# A segment that goes when the last one detaches from it, in its permissions (shmctl(2), SHM_DEST).
_GOES = 0o1000


@dataclass(frozen=True)
class _Segment:
    """A line of the table. `attached` counts attachments, of which a process may have several."""

    number: int
    creator: int
    attached: int
    resource: Resource


class Segments:
    """See `Probe`. With `going`, it also sees those that go when the last one detaches, which are no leak."""

    def __init__(self, *, going: bool = False) -> None:
        self._going = going

    def existing(self, table: Table) -> Iterator[Key]:
        """Every segment there is."""
        for segment in _segments(table, going=self._going):
            yield segment.resource.key

    def held(self, look: Look) -> Iterator[Resource]:
        """Those that a member has made, unless only others use them now."""
        made = [segment for segment in _segments(look.table, going=self._going) if segment.creator in look.pids]
        used = {number for _, number in look.table.mapped(look.members, _MAPPED, Kind.SEGMENT)} if made else set()
        for segment in made:
            if not segment.attached or segment.number in used:
                yield segment.resource

    def persists(self, _: Table, __: Resource) -> bool:
        """What a dead member has made is among the held ones."""
        return False


def _segments(table: Table, *, going: bool) -> Iterator[_Segment]:
    lines = table.lines(_FILE, Kind.SEGMENT)
    names = lines[0].split() if lines else []
    for line in lines[1:]:
        row = dict(zip(names, line.split(), strict=False))
        try:
            if int(row["perms"], 8) & _GOES and not going:
                continue
            detail = f"{row['size']} bytes, made by process {row['cpid']}, {row['nattch']} attached"
            resource = Resource(Kind.SEGMENT, f"shmid {row['shmid']}", row["ctime"], detail=detail)
            yield _Segment(int(row["shmid"]), int(row["cpid"]), int(row["nattch"]), resource)
        except (KeyError, ValueError):
            continue  # not a line that sysvipc(7) knows
