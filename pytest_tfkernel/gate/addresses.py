"""Where a socket of pytest's listens, and which file a lock of its is on: asked for when somebody is to be told."""

from __future__ import annotations

import errno
import os
import socket

from pytest_tfkernel._child import system
from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.model.resources import Kind, Resource


class _Kept:
    """A test may put others in their place (pytest-socket, a mock)."""

    socket = socket.socket
    dup = staticmethod(os.dup)
    close = staticmethod(os.close)


def listening(ground: Ground, thing: Resource) -> Resource | None:
    """A socket of pytest's by its address; None when nobody can connect to it, or nobody can tell now."""
    descriptor = ground.sockets.get(thing.identity)
    if descriptor is None:
        return None
    try:
        copy = _Kept.dup(descriptor)
    except OSError as error:
        if error.errno != errno.EBADF:
            ground.note(Kind.SOCKET, f"{ground.root}/self/fd/{descriptor}", error)
        return None
    try:
        with _Kept.socket(fileno=copy) as one:
            if not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return None
            family, address = one.family, one.getsockname()
    except (OSError, ValueError):
        return None
    if family == socket.AF_UNIX:
        name = address.decode("utf-8", "backslashreplace") if isinstance(address, bytes) else address
        return Resource(Kind.SOCKET, name.replace("\0", "@"), thing.identity, thing.holders, "Unix socket")
    if family in {socket.AF_INET, socket.AF_INET6}:
        name = f"{'tcp' if family == socket.AF_INET else 'tcp6'} {address[0]}:{address[1]}"
    else:
        name = f"{family!s} {address}"
    return Resource(Kind.SOCKET, name, thing.identity, thing.holders, "listening")


def path_of(ground: Ground, lock: Resource) -> str:
    """The path of a locked file that pytest has open; its number where it is open no more."""
    for name in ground.handles:
        place = f"{ground.root}/self/fd/{name}"
        try:
            found = system.status(place)
            number = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
            if number == lock.name:
                return system.link(place)
        except OSError:
            continue
    return lock.name
