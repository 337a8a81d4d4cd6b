"""Other sessions of pytest on this machine: what a dead process has made may be theirs."""

from __future__ import annotations

import contextlib
import re

from pytest_tfkernel._child import proc, system

# Workers of pytest-xdist have another command line; their controller doesn't.
_PYTEST = re.compile(r"(^|[ /])(pytest|py\.test)( |$)")


def are_there() -> bool:
    """Whether there are any: a pytest that is neither this one, nor above or below it.

    There may be where a look goes wrong.
    """
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
    ours = set(_line(parents, mine))
    return any(
        pid not in ours and mine not in _line(parents, pid) and _PYTEST.search(proc.command_line(pid))
        for pid in parents
    )


def _line(parents: dict[int, int], pid: int) -> list[int]:
    """A process and those above it."""
    line: list[int] = []
    while pid in parents and pid not in line:
        line.append(pid)
        pid = parents[pid]
    return line
