"""Sockets on which somebody listens, and the names that Unix sockets leave in folders (unix(7), proc_net(5))."""

from __future__ import annotations

import dataclasses
import re
import socket
import stat
from collections.abc import Iterator

from pytest_tfkernel._child import system
from pytest_tfkernel.audit.probes.base import Look
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Key, Kind, Resource

_LISTEN = "0A"
_TABLES = (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6))
_LINK = "socket:["
# Address, five numbers, inode and path, which may hold spaces and newlines: it ends where the next line begins.
_HEAD = r"[0-9a-f]+:(?: [0-9A-F]+){5} "
_UNIX = re.compile(rf"^{_HEAD} *(\d+) (.+?)$(?=\n{_HEAD}|\Z)", re.MULTILINE | re.DOTALL)
_UNIX_INODE = re.compile(rf"^{_HEAD} *(\d+)", re.MULTILINE)


class Sockets:
    """See `Probe`."""

    def existing(self, table: Table) -> Iterator[Key]:
        """The names of all Unix sockets."""
        for _, path in _unix(table):
            yield _named(path).key

    def held(self, look: Look) -> Iterator[Resource]:
        """TCP sockets on which members listen, and Unix sockets of theirs that have a name."""
        links = look.table.links(look.members)
        owners = {link.target[len(_LINK) : -1]: link.process for link in links if link.target.startswith(_LINK)}
        if not owners:
            return
        unix = _unix_text(look.table)
        found = [(owners[inode], _named(path)) for inode, path in _UNIX.findall(unix) if inode in owners]
        # For those of TCP, Linux walks through a table that grows with the memory: 10 ms on a machine with 24 GB. Each
        # kernel has a channel, and most have no other socket.
        if owners.keys() - _UNIX_INODE.findall(unix):
            found += [(owners[inode], resource) for inode, resource in _listening(look.table) if inode in owners]
        for process, resource in found:
            yield dataclasses.replace(resource, holders=(look.table.holder(process),))

    def persists(self, table: Table, resource: Resource) -> bool:
        """Whether the file of a Unix socket is there, and nobody has it open who could answer."""
        if not resource.identity or resource.identity != _file(resource.name):
            return False
        return all(path != resource.name for _, path in _unix(table))


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


def _unix(table: Table) -> list[tuple[str, str]]:
    """Inode and path of all that have one."""
    return _UNIX.findall(_unix_text(table))


def _unix_text(table: Table) -> str:
    return "\n".join(table.lines("net/unix", Kind.SOCKET))


def _named(path: str) -> Resource:
    return Resource(Kind.SOCKET, path, _file(path), detail="Unix socket")


def _file(path: str) -> str:
    """The inode of a socket's file; empty when there is none, as for abstract names.

    One that was given relative to a working folder is unknown, too.
    """
    if not path.startswith("/"):
        return ""
    try:
        found = system.status(path)
    except (OSError, ValueError):
        return ""
    return str(found.st_ino) if stat.S_ISSOCK(found.st_mode) else ""
