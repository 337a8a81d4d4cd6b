"""What a new process does to itself before it becomes a kernel.

Shared by the supervisor (between fork and exec) and the fork server (after its second fork).
"""

import ctypes
import fcntl
import os
import resource
import signal
from typing import Any, Dict, Mapping

from . import proc

# Asks a kernel for the Python stacks of all its threads. A real-time signal, since user code uses
# the others; neither glibc nor TensorFlow takes this one.
DUMP_SIGNAL = signal.SIGRTMIN + 6

# Where a process that waits for children of its own tells the supervisor of their deaths.
REPORTS = 5

_STDERR = 2
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(%d) failed" % option)


def become_subreaper() -> None:
    """Have orphaned descendants re-parented to this process (prctl(2))."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent dies; exit if that has happened already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def signal_main_thread(pid: int, number: int) -> None:
    """Send a signal that the main thread must handle, and no other one in its place (tgkill(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Of glibc since 2.30, and of no other: elsewhere any thread may take it.
    if not hasattr(libc, "tgkill") or libc.tgkill(pid, pid, number) != 0:
        os.kill(pid, number)


def place_descriptors(wanted: Dict[int, int], *, inheritable: bool) -> None:
    """Make descriptor `wanted[target]` available as `target`, for each; the sources are closed."""
    # Out of the way first: a target of one may be the source of another.
    above = max(wanted) + 1
    moved = {target: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, above) for target, source in wanted.items()}
    for source in set(wanted.values()):
        os.close(source)
    for target, source in moved.items():
        os.dup2(source, target, inheritable or target <= _STDERR)
        os.close(source)


def close_above(highest: int) -> None:
    """Close what else was inherited."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > highest:
            try:
                os.close(int(name))
            except OSError:
                continue  # the descriptor of the listing itself


def reset_signals() -> None:
    """Default dispositions and an empty mask: ignored signals are inherited through exec."""
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            continue  # SIGKILL, SIGSTOP and the two that glibc keeps for itself
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def restrict(order: Mapping[str, Any]) -> None:
    """Take on the lease, cgroups, limits and folder that `order` names.

    `order` has `lease` (a number), `cgroups` (paths of `cgroup.procs` files), `limits` (pairs of
    rlimit and soft value) and `folder` (a path or None).
    """
    for path in order["cgroups"]:
        with open(path, "w") as file:
            file.write("0")
    locks = resource.getrlimit(proc.RLIMIT_LOCKS)[1]
    # One that doesn't fit isn't worn: a smaller number would be that of somebody else.
    if locks == resource.RLIM_INFINITY or order["lease"] <= locks:
        resource.setrlimit(proc.RLIMIT_LOCKS, (order["lease"], locks))
    for number, soft in order["limits"]:
        hard = resource.getrlimit(number)[1]
        resource.setrlimit(number, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
    if order["folder"] is not None:
        os.chdir(order["folder"])
