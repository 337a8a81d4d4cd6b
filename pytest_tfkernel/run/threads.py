"""What the threads of a process that is stuck wait for, read before it is ended."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

_STATES = {"R": "runs", "S": "waits", "D": "waits in the Linux kernel", "T": "is stopped", "t": "is traced"}


@dataclass(frozen=True)
class Task:
    """One thread: its name, its state in words, and the function of the Linux kernel in which it waits."""

    number: int
    name: str
    state: str
    place: str

    @property
    def is_locked(self) -> bool:
        """Whether it waits for a lock, or for another thread to wake it."""
        return "futex" in self.place

    def __str__(self) -> str:
        return f"{self.name} ({self.number}) {'waits for a lock' if self.is_locked else self.state}"


def read(pid: int, proc: Path = Path("/proc")) -> tuple[Task, ...]:
    """All threads that are there, the main one first: a later one may have got a smaller number."""
    found = []
    with contextlib.suppress(OSError):
        tasks = (proc / str(pid) / "task").iterdir()
        for folder in sorted(tasks, key=lambda one: (one.name != str(pid), int(one.name))):
            with contextlib.suppress(OSError, ValueError, IndexError):
                found.append(_read_one(folder, int(folder.name)))
    return tuple(found)


def _read_one(folder: Path, number: int) -> Task:
    line = (folder / "stat").read_text(encoding="utf-8", errors="backslashreplace")
    name, state = line[line.index("(") + 1 : line.rindex(")")], line[line.rindex(")") + 2]
    place = ""
    with contextlib.suppress(OSError):
        place = (folder / "wchan").read_text(encoding="ascii").strip("\0\n")
    return Task(number, name, _STATES.get(state, f"is in state {state}"), "" if place == "0" else place)
