"""What is known of one process, and of its death."""

from __future__ import annotations

import enum
import signal
from dataclasses import dataclass

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


class Cause(enum.Enum):
    """Why a kernel's process ended."""

    SIGNAL = "signal"
    EXIT = "exit"
    OOM_KILL = "oom-kill"
    DEADLINE = "deadline"
    UNKNOWN = "unknown"


class Killer(enum.Enum):
    """Who ended a kernel's process."""

    US = "us"
    SELF = "the kernel itself"
    OOM_KILLER = "the OOM killer"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ProcessId:
    """One process for all time: a pid alone is used again, pid and start time are not.

    `start_time` is in clock ticks since boot, field 22 of `/proc/PID/stat` (proc(5)).
    """

    pid: int
    start_time: int

    def __str__(self) -> str:
        return str(self.pid)


@dataclass(frozen=True)
class ExitStatus:
    """How a process ended: an exit code *or* a signal, never both and never neither."""

    code: int | None = None
    signal: int | None = None

    def __post_init__(self) -> None:
        if (self.code is None) == (self.signal is None):
            raise ValueError("an exit status is a code or a signal: give exactly one")

    @classmethod
    def from_wait(cls, status: int) -> ExitStatus:
        """Read the status word of wait4(2)."""
        if status & 0x7F:
            return cls(signal=status & 0x7F)
        return cls(code=status >> 8 & 0xFF)

    def __str__(self) -> str:
        if self.signal is not None:
            return signal_name(self.signal)
        return f"exit code {self.code}"


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; `signal 40` for a number without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@dataclass(frozen=True)
class ResourceUsage:
    """What wait4(2) reports of a process: seconds of CPU time, and peak memory in bytes.

    `max_rss` of a forked kernel includes the pages that it inherited.
    """

    user_seconds: float
    system_seconds: float
    max_rss: int


@dataclass(frozen=True)
class Leftover:
    """A process that outlived the kernel which started it.

    `started_by` is the kernel's process that has started it, where that is known: its `parent` is another one by
    now.
    """

    process: ProcessId
    parent: int
    state: str
    command: str
    started_by: ProcessId | None = None

    def __str__(self) -> str:
        kind = "zombie" if self.state == "Z" else "process"
        return f"{kind} {self.process.pid} ({self.command or 'no command line'})"


@dataclass(frozen=True)
class PostMortem:
    """Everything known of one death.

    `exit_status` is None when nobody could wait for the process. `stdout` and `stderr` are tails;
    `stdout_cut` and `stderr_cut` say how many bytes came before them. `stack` is what faulthandler
    wrote. `uptime` is in seconds. `note` is what else a person must know, in one line. `children_oom_killed` counts the
    processes of its cgroup that the OOM killer took while it lived; without a cgroup of its own, they are not counted.
    """

    process: ProcessId
    generation: int
    exit_status: ExitStatus | None
    cause: Cause
    killer: Killer
    usage: ResourceUsage | None
    uptime: float
    last_cell: str | None
    stack: str
    stdout: str
    stderr: str
    stdout_cut: int = 0
    stderr_cut: int = 0
    note: str = ""
    children_oom_killed: int = 0

    def headline(self) -> str:
        """One line: what ended the kernel, and who did it."""
        status = "an unknown exit status" if self.exit_status is None else str(self.exit_status)
        line = (
            f"kernel {self.process} died after {self.uptime:.1f} s of {status}"
            f" (cause: {self.cause.value}; killed by: {self.killer.value})"
        )
        if self.children_oom_killed:
            line += f"; the OOM killer took {self.children_oom_killed} process(es) that it had started"
        return f"{line}; {self.note}" if self.note else line

    def describe(self) -> str:
        """The whole report for a person: headline, cell, stack, last lines of both streams."""
        parts = [self.headline()]
        if self.last_cell is not None:
            parts.append(_section("last cell", self.last_cell))
        if self.stack:
            parts.append(_section("stack", self.stack))
        parts.append(_section("stdout", self.stdout, self.stdout_cut))
        parts.append(_section("stderr", self.stderr, self.stderr_cut))
        return "\n".join(parts)


def _section(title: str, text: str, cut: int = 0) -> str:
    head = f"--- {title}" + (f" ({cut} bytes before this were cut)" if cut else "")
    body = text.strip("\n").rstrip()
    return f"{head}\n{body}" if body else f"{head}: empty"
