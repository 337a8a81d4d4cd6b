"""How the process group of a kernel is killed."""

from __future__ import annotations

import contextlib
import os
import signal

from pytest_tfkernel._child import proc
from pytest_tfkernel._child.ending import is_tracker


def kill(group: int) -> None:
    """Kill a group but for multiprocessing's resource trackers, which end when they have cleaned up after the others.

    Raises ProcessLookupError when there is none.
    """
    trackers = [pid for pid in _members(group) if is_tracker(proc.command_line(pid))]
    if not trackers:
        os.killpg(group, signal.SIGKILL)
        return
    # Stopped, they start nothing that we don't know of.
    os.killpg(group, signal.SIGSTOP)
    for pid in _members(group):
        if pid not in trackers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGCONT)


def _members(group: int) -> list[int]:
    stats = ((pid, proc.read_stat(pid)) for pid in proc.pids())
    return [pid for pid, stat in stats if stat is not None and stat.group == group and stat.state != "Z"]
