"""Handles of pytest itself: what the start of a kernel opens there, its death must close again."""

from __future__ import annotations

import os

from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Kind, Resource


def own_handles() -> frozenset[Resource]:
    """What this process has open now."""
    table = Table()
    me = table.entries.get(os.getpid())
    return frozenset(
        Resource(Kind.HANDLE, f"descriptor {link.descriptor}", link.target, detail=link.target)
        for link in table.links([me] if me is not None else [])
        # That of the listing itself is gone by now.
        if not link.target.startswith(f"{table.root}/")
    )
