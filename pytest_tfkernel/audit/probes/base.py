"""What a probe is given, and what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_tfkernel.audit.table import Entry, Table
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Key, Resource


@dataclass(frozen=True)
class Look:
    """One look at what belongs to a lease.

    `members` are its processes and zombies now; `pids` are theirs and those of the ones that were seen before;
    `owner` is the process whose own resources are no leak while it lives: the kernel, or pytest. `folder` is
    where its temporary files go.
    """

    table: Table
    members: tuple[Entry, ...]
    pids: frozenset[int]
    owner: ProcessId
    folder: Path | None = None


class Probe(Protocol):
    """A reader of one or a few kinds of resources. It raises nothing: what it can't read is in the table's `blind`."""

    def existing(self, table: Table) -> Iterator[Key]:
        """What is on the machine before the lease begins, and so isn't its own."""

    def held(self, look: Look) -> Iterator[Resource]:
        """What the members hold, and what is known to be of their making."""

    def persists(self, table: Table, resource: Resource) -> bool:
        """Whether something that was held, and which no member holds any more, exists by itself."""
