"""What a process can hold beside its memory, and what is left of that after its death."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pytest_tfkernel.model.processes import ProcessId


class Kind(enum.Enum):
    """The kinds of resources that the audit knows, as they stand in reports and in markers."""

    PROCESS = "process"
    ZOMBIE = "zombie"
    THREAD = "thread"
    DEVICE = "device"
    SHARED_MEMORY = "shared-memory"
    SEMAPHORE = "semaphore"
    SEGMENT = "system-v-segment"
    SOCKET = "socket"
    LOCK = "lock"
    FILE = "temporary-file"
    HANDLE = "handle"
    CONTEXT = "cuda-context"
    GPU_MEMORY = "gpu-memory"


Key = tuple[Kind, str, str]


def printable(text: str) -> str:
    """A text with escapes for what would break a line or can't be encoded: names of files may be any bytes."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


@dataclass(frozen=True)
class Holder:
    """A process that holds a resource. `age` is in seconds, None where the clock can't tell."""

    process: ProcessId
    command: str
    age: float | None = None

    def __str__(self) -> str:
        age = "" if self.age is None else f", {self.age:.1f} s old"
        return printable(f"{self.process} ({self.command or 'no command line'}{age})")


@dataclass(frozen=True)
class Resource:
    """One thing that is held, or that exists by itself, as a file does; then it has no `holders`.

    `identity` tells it from another one of the same `name` that comes later: an inode, a start time.
    `detail` is what a person wants to know beside its name.
    """

    kind: Kind
    name: str
    identity: str = ""
    holders: tuple[Holder, ...] = ()
    detail: str = ""

    @property
    def key(self) -> Key:
        """What it is known by in another snapshot."""
        return self.kind, self.name, self.identity

    def __str__(self) -> str:
        words = f"{self.kind.value} {self.name}" + (f" ({self.detail})" if self.detail else "")
        return printable(f"{words}, held by {', '.join(map(str, self.holders))}" if self.holders else words)


@dataclass(frozen=True)
class Blind:
    """A place that could not be looked at, and why."""

    kind: Kind
    place: str
    reason: str

    def __str__(self) -> str:
        return printable(f"{self.place}: {self.reason}")


@dataclass(frozen=True)
class Leak:
    """A resource of a dead lease that had time to settle and still exists.

    `since` is the cell after which it was first seen; empty when that was only after the death.
    """

    resource: Resource
    lease: int
    since: str = ""

    def __str__(self) -> str:
        return f"{self.resource}" + (f", first seen after the cell {self.since!r}" if self.since else "")


@dataclass(frozen=True)
class Audit:
    """What was found after a death. `seconds` is how long it was waited until things had settled."""

    leaks: tuple[Leak, ...] = ()
    blind: tuple[Blind, ...] = ()
    seconds: float = 0.0
