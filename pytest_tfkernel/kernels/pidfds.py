"""Waiting for deaths without polling: pidfds (pidfd_open(2))."""

from __future__ import annotations

import os
import select
import time

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.processes import ProcessId


def open_pidfd(process: ProcessId) -> int | None:
    """A pidfd of this very process; None when it is dead already."""
    try:
        pidfd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    if proc.start_time(process.pid) == process.start_time:
        return pidfd
    os.close(pidfd)
    return None


def is_dead(pidfd: int, seconds: float = 0.0) -> bool:
    """Whether the process has died, or does within `seconds`; a zombie has."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def wait_for_any(processes: list[ProcessId], seconds: float) -> None:
    """Until one of them is dead."""
    pidfds = [open_pidfd(process) for process in processes]
    poll = select.poll()
    for pidfd in pidfds:
        if pidfd is not None:
            poll.register(pidfd, select.POLLIN)
    # A zombie that nobody reaps is dead already: its pidfd says so at once, so look again, but not
    # in a circle.
    if poll.poll(seconds * 1000 if None not in pidfds else 10):
        time.sleep(0.001)
    for pidfd in pidfds:
        if pidfd is not None:
            os.close(pidfd)
