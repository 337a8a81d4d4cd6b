"""What pytest's own process holds: what the start of a kernel opens there, its death must close again."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from pytest_tfkernel.model.resources import Kind, Resource

_FOLDER = Path("/proc/self/fd")


def own_resources() -> frozenset[Resource]:
    """Its descriptors and its Python threads now. Threads of native code are not ours to judge."""
    found = set()
    for name in os.listdir(_FOLDER):  # noqa: PTH208 - names, no paths
        try:
            target = os.readlink(_FOLDER / name)  # noqa: PTH115 - it may be no path
        except FileNotFoundError:
            continue  # the descriptor of the listing itself
        found.add(Resource(Kind.HANDLE, f"descriptor {name} of pytest", target, detail=target))
    for thread in threading.enumerate():
        found.add(Resource(Kind.THREAD, f"{thread.name} of pytest", str(thread.ident)))
    return frozenset(found)
