"""Waiting for deaths without polling: pidfds (pidfd_open(2))."""

from __future__ import annotations

import contextlib
import posix

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.waits import readable, ready


def open_pidfd(process: ProcessId) -> int | None:
    """A pidfd of this very process; None when it is dead already. Raises OSError where there is no room to look."""
    try:
        pidfd: int = posix.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    try:
        stat = proc.find_stat(process.pid)
    except BaseException:
        posix.close(pidfd)
        raise
    if stat is not None and stat.start_time == process.start_time:
        return pidfd
    close(pidfd)
    return None


def is_dead(pidfd: int, seconds: float = 0.0) -> bool:
    """Whether the process has died, or does within `seconds`; a zombie has."""
    return readable(seconds, pidfd)


def close(pidfd: int) -> None:
    """Close it; a test may have done so before, with all that it didn't open."""
    with contextlib.suppress(OSError):
        if "pidfd" in posix.readlink(f"/proc/self/fd/{pidfd}"):
            posix.close(pidfd)


def wait_for_any(processes: list[ProcessId], seconds: float) -> None:
    """Until one of them is dead."""
    found = [_open_if_possible(process) for process in processes]
    pidfds = [pidfd for pidfd in found if pidfd is not None]
    # A zombie that nobody reaps is dead already: its pidfd says so at once, so look again, but not
    # in a circle.
    if ready(seconds if None not in found else 0.01, *pidfds):
        ready(0.001)
    for pidfd in pidfds:
        close(pidfd)


def _open_if_possible(process: ProcessId) -> int | None:
    with contextlib.suppress(OSError):
        return open_pidfd(process)
    return None
