"""Temporary files: each kernel has a folder of its own for them."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfkernel._child import system
from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Key, Kind, Resource


class Files:
    """See `Probe`."""

    def existing(self, _: Table) -> Iterator[Key]:
        """The folder is new."""
        return iter(())

    def held(self, look: Look) -> Iterator[Resource]:
        """All that lies in the folder, not what lies in folders there."""
        if look.folder is None:
            return
        try:
            found = sorted(system.inodes(str(look.folder)))
        except FileNotFoundError:
            return  # its owner removed it, and all that was in it
        except OSError as error:
            look.table.note(Kind.FILE, str(look.folder), error)
            return
        for name, inode in found:
            path = f"{look.folder}/{name}"
            yield Resource(Kind.FILE, path, str(inode), detail="folder" if system.is_folder(path) else "file")

    def persists(self, _: Table, __: Resource) -> bool:
        """What is in the folder is among the held ones."""
        return False
