"""Other sessions of pytest on this machine, and tests beside this one: what a dead process has made may be theirs."""

from __future__ import annotations

import contextlib
import re

from pytest_tfkernel._child import proc, system

# Workers of pytest-xdist have another command line; their controller doesn't.
_PYTEST = re.compile(r"(^|[ /])(pytest|py\.test)( |$)")
# From which the process of an isolated test is forked, as from its siblings: all of them wait.
_WAITS = re.compile(r"/pytest_tfkernel/_child isolation$")
# The namespaces that a machine begins with have numbers of their own (PROC_PID_INIT_INO and PROC_IPC_INIT_INO in
# include/linux/proc_ns.h).
_FIRST_OF_PIDS, _FIRST_OF_IPC = 0xEFFFFFFC, 0xEFFFFFFF


def are_there() -> bool:
    """Whether there are any: a pytest that is not this one, above or below it, or a process beside us below one.

    A pytest above us may have workers, which run other tests meanwhile, and tests of its own may have left processes.
    There may be where a look goes wrong, and where they would be hidden.
    """
    if _are_hidden():
        return True
    parents: dict[int, int] = {}
    mine = system.pid()
    try:
        for pid in proc.pids():
            # Those of others may be hidden.
            with contextlib.suppress(PermissionError):
                stat = proc.find_stat(pid)
                if stat is not None:
                    parents[pid] = stat.parent
    except OSError:
        return True
    ours = _line(parents, mine)
    above = next((pid for pid in reversed(ours[1:]) if _is_pytest(pid)), None)
    is_isolated = _waits(mine)
    for pid, parent in parents.items():
        if is_isolated and parent == parents.get(mine) and _waits(pid):
            continue
        line = _line(parents, pid)
        if pid not in ours and mine not in line and (above in line or _is_pytest(pid)):
            return True
    return False


def _are_hidden() -> bool:
    """Whether all the machine's processes may make what is seen here, and only those of a container are seen."""
    try:
        pids, ipc = (system.status(f"/proc/self/ns/{name}").st_ino for name in ("pid", "ipc"))
    except OSError:
        return True
    return pids != _FIRST_OF_PIDS and ipc == _FIRST_OF_IPC


def _waits(pid: int) -> bool:
    return _WAITS.search(proc.command_line(pid)) is not None


def _is_pytest(pid: int) -> bool:
    return _PYTEST.search(proc.command_line(pid)) is not None


def _line(parents: dict[int, int], pid: int) -> list[int]:
    """A process and those above it."""
    line: list[int] = []
    while pid in parents and pid not in line:
        line.append(pid)
        pid = parents[pid]
    return line
