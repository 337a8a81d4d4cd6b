"""Sockets on which somebody listens, and the names that Unix sockets leave in folders (unix(7), proc_net(5))."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator

from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Key, Kind, Resource

_LISTEN = "0A"
_TABLES = (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6))
_LINK = "socket:["
_UNIX_FIELDS = 8


class Sockets:
    """See `Probe`."""

    def existing(self, table: Table) -> Iterator[Key]:
        """The names of all Unix sockets."""
        for _, resource in _unix(table):
            yield resource.key

    def held(self, look: Look) -> Iterator[Resource]:
        """TCP sockets on which members listen, and Unix sockets of theirs that have a name."""
        links = look.table.links(look.members)
        owners = {link.target[len(_LINK) : -1]: link.process for link in links if link.target.startswith(_LINK)}
        if not owners:
            return
        for inode, resource in (*_listening(look.table), *_unix(look.table)):
            if inode in owners:
                holder = look.table.holder(owners[inode])
                yield Resource(resource.kind, resource.name, resource.identity, (holder,), resource.detail)

    def persists(self, _: Table, resource: Resource) -> bool:
        """Whether the file of a Unix socket is there, which nobody can connect to any more."""
        return resource.identity != "" and resource.identity == _file(resource.name)


def _listening(table: Table) -> Iterator[tuple[str, Resource]]:
    for name, family in _TABLES:
        for line in table.lines(f"net/{name}", Kind.SOCKET)[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] == _LISTEN:  # noqa: PLR2004 - the inode is the tenth
                address, port = fields[1].split(":")
                # Words of 32 bits, each in the machine's own order of bytes.
                words = [bytes.fromhex(address[place : place + 8])[::-1] for place in range(0, len(address), 8)]
                host = socket.inet_ntop(family, b"".join(words))
                yield fields[9], Resource(Kind.SOCKET, f"{name} {host}:{int(port, 16)}", "", detail="listening")


def _unix(table: Table) -> Iterator[tuple[str, Resource]]:
    for line in table.lines("net/unix", Kind.SOCKET)[1:]:
        fields = line.split(None, _UNIX_FIELDS - 1)
        if len(fields) == _UNIX_FIELDS:
            inode, path = fields[6], fields[7]
            yield inode, Resource(Kind.SOCKET, path, _file(path), detail="Unix socket")


def _file(path: str) -> str:
    """The inode of a socket's file; empty when there is none, as for abstract names."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a name from /proc, perhaps with bytes of no encoding
    except (OSError, ValueError):
        return ""
    return str(found.st_ino) if stat.S_ISSOCK(found.st_mode) else ""
