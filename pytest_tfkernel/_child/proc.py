"""What /proc says of processes (proc(5)), and the lease that they wear.

A lease is a number in the soft limit of RLIMIT_LOCKS, which Linux keeps but doesn't enforce: it
survives fork, exec, setsid and an empty environment. Anybody may read it and wear it, so it says whose a process is
(see `kin`), and never that it is ours.
"""

from typing import Any, Dict, List, Optional

from . import system

Process = Dict[str, Any]

RLIMIT_LOCKS = 10
# The state of a process whose first thread has ended, and whose others run on.
HEADLESS = "H"
_LEASE_LINE = b"Max file locks"
_CAUGHT_LINE = b"SigCgt:"


# Flags of a task that has been given to a deadly signal, or is on its way out (include/linux/sched.h).
_EXITING, _SIGNALED = 0x4, 0x400
_SIGKILL, _SIGCHLD = 9, 17


class Stat:
    """The few fields of /proc/PID/stat that we use. `state` is its letter there, or `HEADLESS`.

    `child_faults` grows with each child that it waits for, and is -1 where nobody has to, since it ignores SIGCHLD.
    """

    def __init__(self, line: bytes) -> None:
        fields = line[line.rindex(b")") + 2 :].split()
        self.state = fields[0].decode()
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.start_time = int(fields[19])
        self._flags, self._pending = int(fields[6]), int(fields[28])
        self._blocked, self._ignored = int(fields[29]), int(fields[30])
        self.child_faults = -1 if self.ignores(_SIGCHLD) else int(fields[8])
        # The first thread may have ended alone: what others run is a process, and no zombie.
        if self.state == "Z" and int(fields[17]) > 1:
            self.state = HEADLESS

    @property
    def is_dying(self) -> bool:
        """Whether it is a zombie, or will soon be one."""
        return self.state in "ZX" or bool(self._flags & (_EXITING | _SIGNALED)) or bool(self._pending & _bit(_SIGKILL))

    def ignores(self, number: int) -> bool:
        """Whether a signal does nothing to it; of real-time signals it isn't told."""
        return bool(self._ignored & _bit(number))

    def blocks(self, number: int) -> bool:
        """Whether a signal waits until its first thread lets it through."""
        return bool(self._blocked & _bit(number))


def _bit(number: int) -> int:
    return 1 << number >> 1


def read_stat(pid: int) -> Optional[Stat]:
    """The `Stat` of a process or zombie; None when there is none."""
    try:
        return find_stat(pid)
    except OSError:
        return None


def find_stat(pid: int) -> Optional[Stat]:
    """The same; OSError where nobody can tell, since it can't be read."""
    try:
        # One line, of which Linux gives all at once.
        return Stat(system.read("/proc/%d/stat" % pid, 1))
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None


def catches(pid: int, number: int) -> bool:
    """Whether it has a handler for a signal, also a real-time one: a program that was begun by exec(2) has none."""
    try:
        lines = system.read("/proc/%d/status" % pid).split(b"\n")
        return any(bool(int(line.split()[1], 16) & _bit(number)) for line in lines if line.startswith(_CAUGHT_LINE))
    except (OSError, ValueError, IndexError):
        return False


def start_time(pid: int) -> Optional[int]:
    """Clock ticks since boot at which the process began; None when there is none."""
    stat = read_stat(pid)
    return None if stat is None else stat.start_time


def command_line(pid: int) -> str:
    """The arguments joined with spaces; the name in brackets where there are none."""
    try:
        words = system.read("/proc/%d/cmdline" % pid).rstrip(b"\0").replace(b"\0", b" ")
        if not words:
            words = b"[" + system.read("/proc/%d/comm" % pid).strip() + b"]"
    except OSError:
        return ""
    return words.decode("utf-8", "backslashreplace")


def pids() -> List[int]:
    """All process ids that are visible here."""
    return [int(name) for name in system.names("/proc") if name.isdigit()]


def lease_of(pid: int) -> Optional[int]:
    """The soft limit of RLIMIT_LOCKS; None where it is unlimited or unreadable."""
    try:
        return find_lease(pid)
    except OSError:
        return None


def find_lease(pid: int) -> Optional[int]:
    """The same; OSError where nobody can tell, since it can't be read."""
    try:
        lines = system.read("/proc/%d/limits" % pid).split(b"\n")
    except (FileNotFoundError, ProcessLookupError):
        return None
    for line in lines:
        if line.startswith(_LEASE_LINE):
            soft = line[len(_LEASE_LINE) :].split()[0]
            return None if soft == b"unlimited" else int(soft)
    return None


def cgroups_of(pid: int) -> List[str]:
    """The names of the cgroups that a process is in, the last part of their paths."""
    try:
        lines = system.read("/proc/%d/cgroup" % pid).decode().splitlines()
    except (OSError, ValueError):
        return []
    return [line.rpartition("/")[2] for line in lines]


def variable_of(pid: int, name: str) -> Optional[int]:
    """The number in a variable of the environment with which a process was executed; None where there is none."""
    try:
        with open("/proc/%d/environ" % pid, "rb") as file:
            for pair in file.read().split(b"\0"):
                if pair.startswith(name.encode() + b"="):
                    return int(pair.partition(b"=")[2])
    except (OSError, ValueError):
        pass
    return None


def descendants(root: int) -> List[Process]:
    """The processes and zombies below `root`, parents before children."""
    everything = [found for found in map(_describe, pids()) if found is not None]
    children: Dict[int, List[Process]] = {}
    for found in everything:
        children.setdefault(found["parent"], []).append(found)
    below: List[Process] = []
    generation = children.get(root, [])
    while generation:
        below.extend(generation)
        generation = [child for parent in generation for child in children.get(parent["pid"], [])]
    return below


def is_below(pid: int, root: int) -> bool:
    """Whether a process or zombie is a descendant of `root`."""
    seen = set()
    while pid not in seen:
        seen.add(pid)
        stat = read_stat(pid)
        if stat is None:
            return False
        pid = stat.parent
        if pid == root:
            return True
    return False


def _describe(pid: int) -> Optional[Process]:
    stat = read_stat(pid)
    if stat is None:
        return None
    return {
        "pid": pid,
        "start_time": stat.start_time,
        "parent": stat.parent,
        "group": stat.group,
        "session": stat.session,
        "state": stat.state,
    }
