"""Orphans that become pytest's children, since it is process 1 of a container, or a subreaper (prctl(2))."""

from __future__ import annotations

import contextlib
import gc

from pytest_tfkernel._child import system
from pytest_tfkernel.gate import holding

_INIT = 1
_PR_GET_CHILD_SUBREAPER = 37


def adopts() -> bool:
    """Whether the children of this process may be somebody else's orphans."""
    if system.pid() == _INIT:
        return True
    # Only where there is a child that nobody knows.
    import ctypes

    answer = ctypes.c_int(0)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0)
    return bool(answer.value)


def is_waited_for(pid: int) -> bool:
    """Whether an object of this process has started a child and is to wait for it, as `subprocess.Popen`."""
    # Of each module that starts processes there is a class of this name (multiprocessing, psutil).
    for one in gc.get_objects():
        if type(one).__name__ == "Popen":
            attributes = holding.attributes(one) or {}
            if attributes.get("pid") == pid and attributes.get("returncode", 0) is None:
                return True
    return False


def words(count: int) -> str:
    """What a person is told of so many of them that have ended."""
    what = f"{count} zombie{'' if count == 1 else 's'} that nobody waits for"
    if system.pid() == _INIT:
        why = "pytest is process 1 of its container, whose orphans become its children: run that with an init"
        return f"{what}: {why} (docker run --init)"
    why = "a test or a plugin has made pytest's process a subreaper, so orphans become its children"
    return f"{what}: {why}"
