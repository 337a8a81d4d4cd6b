"""Temporary files: each kernel has a folder of its own for them."""

from __future__ import annotations

import os
from collections.abc import Iterator

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
            with os.scandir(look.folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            return  # its owner removed it, and all that was in it
        except OSError as error:
            look.table.note(Kind.FILE, str(look.folder), error)
            return
        for entry in found:
            detail = "folder" if entry.is_dir(follow_symlinks=False) else "file"
            yield Resource(Kind.FILE, entry.path, str(entry.inode()), detail=detail)

    def persists(self, _: Table, __: Resource) -> bool:
        """What is in the folder is among the held ones."""
        return False
