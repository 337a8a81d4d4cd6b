"""The processes of the machine at one instant, and what some of them hold open."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pytest_tfkernel._child import proc, system
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Holder, Kind

_TICKS = os.sysconf("SC_CLK_TCK")
# Those of stat that are read, counted from the end of the name.
_STATE, _PARENT, _SESSION, _THREADS, _START, _MEMORY = 0, 1, 3, 17, 19, 20
_GONE = (FileNotFoundError, ProcessLookupError, NotADirectoryError)
# What is refused to this user will be refused again; anything else says that a look went wrong.
_REFUSED = {errno.EACCES, errno.EPERM}


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
    """A descriptor of a process, and what it leads to. `task` is the folder of a thread that has it."""

    process: ProcessId
    descriptor: int
    target: str
    task: str = field(default="", compare=False)


class Table:
    """What /proc says, read once. Processes that vanish while they are read are gone.

    What can't be read is in `blind`. `is_torn` says that some of it wasn't refused to us, but couldn't be read now: who
    uses what can't be told then.
    """

    def __init__(self, root: Path = Path("/proc")) -> None:
        self.root = root
        self.blind: list[Blind] = []
        self.is_torn = False
        self._holders: dict[ProcessId, Holder] = {}
        self._links: dict[ProcessId, tuple[Link, ...]] = {}
        self._mapped: dict[tuple[ProcessId, bytes], tuple[int, ...]] = {}

    @functools.cached_property
    def entries(self) -> dict[int, Entry]:
        """All processes and zombies by pid."""
        return {pid: _entry(pid, line) for pid, line in self._lines.items()}

    def entry(self, pid: int) -> Entry | None:
        """One of them."""
        line = self._lines.get(pid)
        return None if line is None else _entry(pid, line)

    @functools.cached_property
    def _lines(self) -> dict[int, bytes]:
        """What stat says of each after its name; most are only asked for their parents."""
        blind = len(self.blind)
        names = self._names(str(self.root), Kind.PROCESS)
        lines = {int(name): self._read_stat(f"{self.root}/{name}") for name in names if name.isdigit()}
        found = {pid: line for pid, line in lines.items() if line is not None}
        if 1 not in found and len(self.blind) == blind:
            self.blind.append(Blind(Kind.PROCESS, str(self.root), "processes of other users are hidden (hidepid)"))
        return found

    def _read_stat(self, folder: str) -> bytes | None:
        try:
            return _read_stat(folder)
        except OSError as error:
            # Hidden ones are told as a whole.
            if error.errno not in _REFUSED:
                self.note(Kind.PROCESS, f"{folder}/stat", error)
            return None

    @functools.cached_property
    def _children(self) -> dict[int, list[int]]:
        """Of each pid that has some."""
        found: dict[int, list[int]] = {}
        for pid, line in self._lines.items():
            found.setdefault(int(line.split(None, 2)[_PARENT]), []).append(pid)
        return found

    def below(self, pid: int) -> Iterator[Entry]:
        """All descendants of a process, parents before children."""
        waiting = list(self._children.get(pid, ()))
        while waiting:
            child = waiting.pop()
            yield _entry(child, self._lines[child])
            waiting += self._children.get(child, ())

    def holder(self, process: ProcessId) -> Holder:
        """A process as one that holds something."""
        if process not in self._holders:
            age = None if self._uptime is None else max(0.0, self._uptime - process.start_time / _TICKS)
            self._holders[process] = Holder(process, proc.command_line(process.pid), age)
        return self._holders[process]

    @functools.cached_property
    def _uptime(self) -> float | None:
        try:
            return float(system.read(f"{self.root}/uptime").split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def links(self, entries: Iterable[Entry]) -> Iterator[Link]:
        """What their descriptors lead to, those of every thread: a dead first thread has none any more."""
        for entry in entries:
            if entry.process not in self._links:
                self._links[entry.process] = tuple(dict.fromkeys(self._read_links(entry)))
            yield from self._links[entry.process]

    def _read_links(self, entry: Entry) -> Iterator[Link]:
        read = set()
        for task in self._tasks(entry, Kind.HANDLE):
            names = tuple(self._names(f"{task}/fd", Kind.HANDLE, task))
            # A hundred threads share them, as a rule. One that doesn't is told by what it has opened since.
            if names in read:
                continue
            read.add(names)
            for name in names:
                place = f"{task}/fd/{name}"
                try:
                    target = system.link(place)
                except OSError as error:
                    self._refused(Kind.HANDLE, place, error, task)
                else:
                    yield Link(entry.process, int(name), target, task)

    def mapped(self, entries: Iterable[Entry], prefix: bytes, kind: Kind) -> Iterator[tuple[ProcessId, int]]:
        """The inodes of the files that they map, and whose path began with `prefix` once; each once."""
        for entry in entries:
            if (entry.process, prefix) not in self._mapped:
                self._mapped[entry.process, prefix] = tuple(sorted(self._read_maps(entry, prefix, kind)))
            for inode in self._mapped[entry.process, prefix]:
                yield entry.process, inode

    def _read_maps(self, entry: Entry, prefix: bytes, kind: Kind) -> set[int]:
        # All threads share them, but a dead first thread has none any more.
        tasks = self._tasks(entry, kind) if entry.is_dead else [f"{self.root}/{entry.process.pid}"]
        lines = [line for task in tasks for line in self.read(f"{task}/maps", kind, task).split(b"\n")]
        # Addresses, mode, offset, device, inode, path: a path may hold spaces, and may have been unlinked.
        fields = [line.split(None, 5) for line in lines if prefix in line]
        return {int(one[4]) for one in fields if one[5].startswith(prefix)}

    def _tasks(self, entry: Entry, kind: Kind) -> list[str]:
        """The folders of its living threads."""
        if entry.is_empty:
            return []
        process = f"{self.root}/{entry.process.pid}"
        names = self._names(f"{process}/task", kind, process)
        return [f"{process}/task/{name}" for name in names if not entry.is_dead or int(name) != entry.process.pid]

    def lines(self, name: str, kind: Kind) -> list[str]:
        """The lines of a file of /proc; bytes that aren't UTF-8 are escaped as in the names of files."""
        # Not splitlines(): a name may hold any of the characters that it takes for ends of lines.
        text = os.fsdecode(self.read(f"{self.root}/{name}", kind)).removesuffix("\n")
        return text.split("\n") if text else []

    def read(self, place: str, kind: Kind, task: str = "") -> bytes:
        """A file, which `task` has if it is one of a process; empty when it is gone or can't be read."""
        try:
            return system.read(place)
        except OSError as error:
            self._refused(kind, place, error, task)
            return b""

    def _names(self, folder: str, kind: Kind, task: str = "") -> list[str]:
        try:
            return system.names(folder)
        except OSError as error:
            self._refused(kind, folder, error, task)
            return []

    def _refused(self, kind: Kind, place: str, error: OSError, task: str) -> None:
        if not isinstance(error, _GONE) and not (task and _is_ending(task)):
            self.note(kind, place, error)

    def note(self, kind: Kind, place: str, error: OSError) -> None:
        """Count a place that can't be read."""
        self.is_torn |= error.errno not in _REFUSED
        self.blind.append(Blind(kind, place, error.strerror or str(error)))


def _read_stat(folder: str) -> bytes | None:
    """What stat says after the name of a process or thread; None when there is none, OSError when it can't be read."""
    try:
        line = system.read(f"{folder}/stat")
    except _GONE:
        return None
    # The name in parentheses may hold spaces, parentheses and newlines: fields count from its end.
    line = line[line.rfind(b")") + 2 :]
    return line if line.count(b" ") >= _MEMORY else None


def _entry(pid: int, line: bytes) -> Entry:
    fields = line.split()
    process = ProcessId(pid, int(fields[_START]))
    return Entry(process, int(fields[_PARENT]), int(fields[_SESSION]), fields[_STATE].decode(), int(fields[_THREADS]))


def _is_ending(task: str) -> bool:
    """Whether its memory is gone already: from then on only root may look at it, and soon there is nothing to see."""
    try:
        line = _read_stat(task)
    except OSError:
        return False
    return line is None or int(line.split()[_MEMORY]) == 0
