"""What the record of the OOM killer says of a process: the log of the Linux kernel, where it can be read."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

_KMSG = Path("/dev/kmsg")
_NAMESPACE = Path("/proc/self/ns/pid")
# That of the first pid namespace (PROC_PID_INIT_INO): the log counts processes as they are counted there.
_FIRST = 0xEFFFFFFC
_RECORD = re.compile(r"oom-kill:.*?task_memcg=(?P<cgroup>[^,]*),task=(?P<task>.*),pid=(?P<pid>\d+),uid=\d+")
_KILLED = re.compile(r"Killed process (?P<pid>\d+) \((?P<task>.*?)\).*?anon-rss:(?P<rss>\d+)kB")
# The clock of the log isn't quite that of processes.
_SLACK_SECONDS = 1.0


@dataclass(frozen=True)
class Taken:
    """A process that the OOM killer has taken; `rss` in bytes is what it held of its own, None where nobody says."""

    pid: int
    task: str
    rss: int | None = None


@dataclass(frozen=True)
class OomRecord:
    """What is known of the OOM killer. `count` is how many it took in the cgroup, None for one that others share.

    `taken` are those that the log names; `blind` says why there is no log.
    """

    count: int | None = None
    taken: tuple[Taken, ...] = ()
    blind: str = ""


def read_log(since: float, log: Path = _KMSG) -> list[str]:
    """The lines of the log since so many seconds after boot. Raises OSError where it can't be read."""
    lines: list[str] = []
    descriptor = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            try:
                record = os.read(descriptor, 8192)
            except BlockingIOError:
                return lines
            except BrokenPipeError:
                continue  # it was overwritten before we came to it
            if not record:
                return lines
            head, _, text = record.decode("utf-8", "backslashreplace").partition(";")
            with contextlib.suppress(ValueError, IndexError):
                if int(head.split(",")[2]) / 1e6 >= since - _SLACK_SECONDS:
                    lines.append(text.splitlines()[0])
    finally:
        os.close(descriptor)


def victims(lines: Iterable[str], cgroups: Collection[str], pids: Collection[int]) -> tuple[Taken, ...]:
    """Those of these processes, or in cgroups of these names, which only one of our kernels ever has."""
    found: dict[int, Taken] = {}
    for line in lines:
        record, killed = _RECORD.search(line), _KILLED.search(line)
        if record is not None:
            pid = int(record["pid"])
            if pid in pids or record["cgroup"].rpartition("/")[2] in cgroups:
                found[pid] = Taken(pid, record["task"])
        elif killed is not None:
            pid = int(killed["pid"])
            if pid in pids or pid in found:
                found[pid] = Taken(pid, killed["task"], int(killed["rss"]) * 1024)
    return tuple(found.values())


def look(since: float, cgroups: Collection[str], pids: Collection[int], count: int | None) -> OomRecord:
    """What is recorded of these since so many seconds after boot."""
    try:
        lines = read_log(since)
    except OSError as error:
        return OomRecord(count, (), f"{_KMSG} can't be read: {error.strerror}")
    # Elsewhere the same number is another process.
    is_first = _NAMESPACE.exists() and _NAMESPACE.stat().st_ino == _FIRST
    return OomRecord(count, victims(lines, cgroups, pids if is_first else ()))
