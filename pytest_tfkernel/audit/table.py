"""The processes of the machine at one instant, and what some of them hold open."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Holder, Kind

_TICKS = os.sysconf("SC_CLK_TCK")
_STAT_BYTES = 1024
_GONE = (FileNotFoundError, ProcessLookupError, NotADirectoryError)


@dataclass(frozen=True)
class Entry:
    """A line of the table. `threads` counts the living ones, the first one included while it lives."""

    process: ProcessId
    parent: int
    session: int
    state: str
    threads: int

    @property
    def is_dead(self) -> bool:
        """Whether its first thread has ended, and nobody has waited for it."""
        return self.state in {"Z", "X"}

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it runs: a dead first thread may have left others, which hold what it held."""
        return self.is_dead and self.threads <= 1


@dataclass(frozen=True)
class Link:
    """A descriptor of a process, and what it leads to."""

    process: ProcessId
    descriptor: int
    target: str


class Table:
    """What /proc says, read once. Processes that vanish while they are read are gone.

    What can't be read is in `blind`.
    """

    def __init__(self, root: Path = Path("/proc")) -> None:
        self.root = root
        self.blind: list[Blind] = []
        self._holders: dict[ProcessId, Holder] = {}
        self._links: dict[ProcessId, tuple[Link, ...]] = {}

    @functools.cached_property
    def entries(self) -> dict[int, Entry]:
        """All processes and zombies by pid."""
        entries = [self._entry(name) for name in self._names(str(self.root), Kind.PROCESS) if name.isdigit()]
        found = {entry.process.pid: entry for entry in entries if entry is not None}
        if 1 not in found:
            self.blind.append(Blind(Kind.PROCESS, str(self.root), "processes of other users are hidden (hidepid)"))
        return found

    @functools.cached_property
    def children(self) -> dict[int, list[Entry]]:
        """Of each pid that has some."""
        found: dict[int, list[Entry]] = {}
        for entry in self.entries.values():
            found.setdefault(entry.parent, []).append(entry)
        return found

    def below(self, pid: int) -> Iterator[Entry]:
        """All descendants of a process, parents before children."""
        waiting = list(self.children.get(pid, ()))
        while waiting:
            entry = waiting.pop()
            yield entry
            waiting += self.children.get(entry.process.pid, ())

    def holder(self, process: ProcessId) -> Holder:
        """A process as one that holds something."""
        if process not in self._holders:
            age = None if self._uptime is None else max(0.0, self._uptime - process.start_time / _TICKS)
            self._holders[process] = Holder(process, proc.command_line(process.pid), age)
        return self._holders[process]

    @functools.cached_property
    def _uptime(self) -> float | None:
        try:
            return float((self.root / "uptime").read_text(encoding="ascii").split()[0])
        except (OSError, ValueError):
            return None

    def links(self, entries: Iterable[Entry]) -> Iterator[Link]:
        """What their descriptors lead to, those of every thread: a dead first thread has none any more."""
        for entry in entries:
            if entry.process not in self._links:
                self._links[entry.process] = tuple(dict.fromkeys(self._read_links(entry)))
            yield from self._links[entry.process]

    def _read_links(self, entry: Entry) -> Iterator[Link]:
        folder = f"{self.root}/{entry.process.pid}/task"
        for task in [] if entry.is_empty else self._names(folder, Kind.HANDLE):
            for name in self._names(f"{folder}/{task}/fd", Kind.HANDLE):
                place = f"{folder}/{task}/fd/{name}"
                try:
                    target = os.readlink(place)  # noqa: PTH115 - it may be no path
                except _GONE:
                    continue
                except OSError as error:
                    self.note(Kind.HANDLE, place, error)
                else:
                    yield Link(entry.process, int(name), target)

    def mapped(self, entries: Iterable[Entry], prefix: bytes, kind: Kind) -> Iterator[tuple[ProcessId, int]]:
        """The inodes of the files that they map, and whose path began with `prefix` once; each once."""
        for entry in entries:
            if entry.is_empty:
                continue
            lines = self._read(f"{entry.process.pid}/maps", kind).split(b"\n")
            # Addresses, mode, offset, device, inode, path: a path may hold spaces, and may have been unlinked.
            fields = [line.split(None, 5) for line in lines if prefix in line]
            for inode in sorted({int(one[4]) for one in fields if one[5].startswith(prefix)}):
                yield entry.process, inode

    def lines(self, name: str, kind: Kind) -> list[str]:
        """The lines of a file of /proc, without its heading or anything that isn't UTF-8."""
        return self._read(name, kind).decode("utf-8", "surrogateescape").splitlines()

    def _read(self, name: str, kind: Kind) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except _GONE:
            return b""
        except OSError as error:
            self.note(kind, f"{self.root}/{name}", error)
            return b""

    def _entry(self, pid: str) -> Entry | None:
        try:
            descriptor = os.open(f"{self.root}/{pid}/stat", os.O_RDONLY)
            try:
                line = os.read(descriptor, _STAT_BYTES)
            finally:
                os.close(descriptor)
            # The name in parentheses may hold spaces, parentheses and newlines: fields count from its end.
            fields = line[line.rindex(b")") + 2 :].split()
            process = ProcessId(int(pid), int(fields[19]))
            return Entry(process, int(fields[1]), int(fields[3]), fields[0].decode(), int(fields[17]))
        except (OSError, ValueError, IndexError):
            return None

    def _names(self, folder: str, kind: Kind) -> list[str]:
        try:
            return os.listdir(folder)  # noqa: PTH208 - thousands of names
        except _GONE:
            return []
        except OSError as error:
            self.note(kind, folder, error)
            return []

    def note(self, kind: Kind, place: str, error: OSError) -> None:
        """Count a place that can't be read."""
        self.blind.append(Blind(kind, place, error.strerror or str(error)))
