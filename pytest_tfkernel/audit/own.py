"""What pytest's own process holds: what the start of a kernel opens there, its death must close again."""

from __future__ import annotations

import threading
from collections.abc import Container

from pytest_tfkernel._child import system
from pytest_tfkernel.model.resources import Kind, Resource

_FOLDER = "/proc/self/fd"


def own_resources(kept: Container[int] = ()) -> frozenset[Resource]:
    """Its descriptors and its Python threads now, but for the descriptors that are `kept` whatever becomes of kernels.

    Threads of native code are not ours to judge.
    """
    found = set()
    for name in system.names(_FOLDER):
        try:
            target = system.link(f"{_FOLDER}/{name}")
        except FileNotFoundError:
            continue  # the descriptor of the listing itself
        if int(name) in kept:
            continue
        found.add(Resource(Kind.HANDLE, f"descriptor {name} of pytest", target, detail=target))
    for thread in threading.enumerate():
        found.add(Resource(Kind.THREAD, f"{thread.name} of pytest", str(thread.ident)))
    return frozenset(found)
