"""Memory and process limits that the Linux kernel enforces: cgroups of our own, v1 and v2.

Files and their meaning: cgroups(7), and the kernel's admin-guide `cgroup-v1/memory.rst` and
`cgroup-v2.rst`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel._child import proc
from pytest_tfkernel.processes.supervisor import Supervisor

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_V2 = 2  # the version of the interface
MEMORY = "memory"
PIDS = "pids"
# The files that count OOM kills, by version.
_COUNTERS = {1: "memory.oom_control", _V2: "memory.events"}


class CgroupUnavailableError(Exception):
    """No cgroup can be made here; the text says why, and what would help."""


@dataclass(frozen=True)
class Parent:
    """A cgroup in which we may make children that have a controller."""

    version: int
    folder: Path


@dataclass(frozen=True)
class _Mount:
    kind: str
    root: str
    folder: Path
    options: frozenset[str]


def find_parent(controller: str, process: Path = Path("/proc/self")) -> Parent:
    """Where a cgroup with this controller can be made. Raises CgroupUnavailableError."""
    try:
        mounts = list(_mounts(process))
        memberships = (process / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CgroupUnavailableError(f"cgroups can't be read here: {error}") from error
    for line in memberships:
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return _v1_parent(controller, path, mounts)
    for line in memberships:
        if line.startswith("0::"):
            return _v2_parent(controller, line[3:], mounts)
    raise CgroupUnavailableError(f"this Linux kernel has no {controller} cgroup controller")


def _mounts(process: Path) -> Iterator[_Mount]:
    for line in (process / "mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(), right.split()
        if kind[0] in ("cgroup", "cgroup2"):
            yield _Mount(kind[0], fields[3], Path(fields[4]), frozenset(kind[-1].split(",")))


def _v1_parent(controller: str, path: str, mounts: list[_Mount]) -> Parent:
    for mount in mounts:
        if mount.kind == "cgroup" and controller in mount.options:
            folder = mount.folder / os.path.relpath(path, mount.root)
            if not folder.is_dir():
                # In a container, the path may be that of the host.
                folder = mount.folder
            if not os.access(folder, os.W_OK):
                raise CgroupUnavailableError(f"{folder} is not writable: run as root, or with the cgroup mounted rw")
            return Parent(1, folder)
    raise CgroupUnavailableError(f"the {controller} cgroup controller is not mounted")


def _v2_parent(controller: str, path: str, mounts: list[_Mount]) -> Parent:
    for mount in mounts:
        if mount.kind == "cgroup2":
            break
    else:
        raise CgroupUnavailableError("cgroup v2 is not mounted")
    own = Path(os.path.normpath(mount.folder / os.path.relpath(path, mount.root)))
    # A cgroup that holds processes can't give controllers to children: ours is no candidate
    # itself, but one above it may be.
    for folder in (own, *own.parents):
        if not folder.is_relative_to(mount.folder):
            break
        if _gives(folder, controller) and os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK):
            return Parent(_V2, folder)
    raise CgroupUnavailableError(_why_not(controller, own, mount.folder))


def _gives(folder: Path, controller: str) -> bool:
    # One that holds processes and gives away pids alone, which is allowed, is no longer a plain
    # domain: no process can join its children. Only the root has no type.
    if _words(folder / "cgroup.type") not in (None, ["domain"]):
        return False
    return controller in (_words(folder / "cgroup.subtree_control") or ())


def _why_not(controller: str, own: Path, top: Path) -> str:
    """Why there is no v2 parent at or above `own`, up to `top`, and what would help."""
    if _is_read_only(top):
        return f"{top} is mounted read-only: mount it rw, in a container by `--privileged` for instance"
    available = _words(top / "cgroup.controllers")
    if available is not None and controller not in available:
        return f"{top} has no {controller} controller: enable it at boot, or outside of this container"
    missing = f"no cgroup at or above {own} is delegated with the {controller} controller"
    if not os.access(top / "cgroup.procs", os.W_OK):
        return f"{missing} to this user: run as root, or under systemd by `systemd-run --user --scope pytest`"
    names = " ".join(f"+{name}" for name in (MEMORY, PIDS) if name in (available or (MEMORY, PIDS)))
    remedy = f"echo '{names}' > {top}/cgroup.subtree_control"
    if (top / "cgroup.type").exists():
        # Not the root of all, so its processes have to leave first.
        leave = f"mkdir -p {top}/pytest; xargs -n1 < {top}/cgroup.procs > {top}/pytest/cgroup.procs"
        remedy = f"{leave}; {remedy}"
    return f"{missing}: run `{remedy}`"


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _words(file: Path) -> list[str] | None:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return None


class Cgroup:
    """A leaf of our own for one kernel; removed by `remove`, or else with the supervisor."""

    def __init__(self, supervisor: Supervisor, name: str, controllers: tuple[str, ...]) -> None:
        self.name = name
        self._supervisor = supervisor
        self._leaves: dict[str, Parent] = {}
        parents = {controller: find_parent(controller) for controller in controllers}
        # In v2 a process is in one cgroup only. The highest parent gives what those below it give.
        unified = [parent for parent in parents.values() if parent.version == _V2]
        highest = min(unified, key=lambda parent: len(parent.folder.parts), default=None)
        for controller, found in parents.items():
            parent = highest if highest is not None and found.version == _V2 else found
            leaf = parent.folder / name
            _sweep(parent.folder)
            supervisor.hold(leaf)
            try:
                leaf.mkdir(exist_ok=True)
            except OSError as error:
                raise CgroupUnavailableError(f"no cgroup can be made in {parent.folder}: {error}") from error
            self._leaves[controller] = Parent(parent.version, leaf)

    @property
    def procs_files(self) -> list[str]:
        """The files to which a process writes to join."""
        return sorted({str(leaf.folder / "cgroup.procs") for leaf in self._leaves.values()})

    def add(self, pid: int) -> None:
        """Move a process and all its threads here; what it holds already stays charged elsewhere."""
        for path in self.procs_files:
            Path(path).write_text(str(pid), encoding="ascii")

    def limit_memory(self, limit: int) -> None:
        """Bytes of memory, swap included, beyond which the Linux kernel kills."""
        leaf = self._leaves[MEMORY]
        if leaf.version == _V2:
            files = {"memory.oom.group": "0", "memory.swap.max": "0", "memory.max": str(limit)}
        else:
            files = {
                "memory.oom_control": "0",
                "memory.swappiness": "0",
                "memory.limit_in_bytes": str(limit),
                "memory.memsw.limit_in_bytes": str(limit),
            }
        for name, text in files.items():
            # Swap accounting may be compiled out; then there is no such file.
            if (leaf.folder / name).exists():
                (leaf.folder / name).write_text(text, encoding="ascii")

    def limit_processes(self, limit: int) -> None:
        """How many processes and threads may exist at once."""
        (self._leaves[PIDS].folder / "pids.max").write_text(str(limit), encoding="ascii")

    def oom_kills(self) -> int:
        """How many processes the OOM killer has killed here; 0 without a memory controller."""
        leaf = self._leaves.get(MEMORY)
        return read_oom_kills(leaf.folder / _COUNTERS[leaf.version]) if leaf is not None else 0

    def remove(self) -> None:
        """Remove it if it is empty; otherwise the supervisor does at its end."""
        for leaf in self._leaves.values():
            try:
                leaf.folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                continue
            self._supervisor.release(leaf.folder)


def limiting(
    new_cgroup: Callable[[tuple[str, ...]], Cgroup], *, memory: int | None, processes: int | None
) -> Cgroup | None:
    """One with these limits, made by `new_cgroup`; None without any. Raises CgroupUnavailableError, or OSError."""
    limits = {MEMORY: memory, PIDS: processes}
    controllers = tuple(name for name, limit in limits.items() if limit is not None)
    if not controllers:
        return None
    cgroup = new_cgroup(controllers)
    try:
        if memory is not None:
            cgroup.limit_memory(memory)
        if processes is not None:
            cgroup.limit_processes(processes)
    except BaseException:
        cgroup.remove()
        raise
    return cgroup


def find_oom_counter(pid: int) -> Path | None:
    """The file that counts OOM kills in the memory cgroup of a process, its own or not; None where there is none."""
    try:
        memberships = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
        mounts = list(_mounts(Path("/proc/self")))
    except OSError:
        return None
    for line in memberships:
        _, controllers, path = line.split(":", 2)
        version = 1 if MEMORY in controllers.split(",") else _V2 if not controllers else 0
        for mount in mounts if version else ():
            if version == _V2 and mount.kind != "cgroup2":
                continue
            if version == 1 and not (mount.kind == "cgroup" and MEMORY in mount.options):
                continue
            # In a container, the path may be that of the host; what is mounted is the container's own then.
            for folder in (mount.folder / os.path.relpath(path, mount.root), mount.folder):
                if (folder / _COUNTERS[version]).exists():
                    return folder / _COUNTERS[version]
    return None


def read_oom_kills(counter: Path | None) -> int:
    """How many processes the OOM killer has killed, by such a file; 0 when it can't be read."""
    try:
        lines = counter.read_text(encoding="ascii").splitlines() if counter is not None else []
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def name_for(number: int) -> str:
    """The name of a cgroup of this process, which says whose it is: pid, start time and pid namespace."""
    return f"tfkernel-{os.getpid()}-{proc.start_time(os.getpid()) or 0}-{_namespace()}-{number:x}"


def _namespace() -> int:
    """The number of our pid namespace, which no other one on this machine has while this one exists; 0 if unknown."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def _sweep(parent: Path) -> None:
    """Remove the empty cgroups of sessions whose supervisor was killed, and which nobody could remove then.

    Only of those whose process would be seen here: in another container it lives unseen.
    """
    for leaf in parent.glob("tfkernel-*-*-*-*"):
        with contextlib.suppress(OSError, ValueError):
            pid, start_time, namespace = map(int, leaf.name.split("-")[1:4])
            if namespace and namespace == _namespace() and proc.start_time(pid) != start_time:
                leaf.rmdir()
