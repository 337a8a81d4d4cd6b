"""The first process of the guest that boot.py boots: runs guest.py in one place of the cgroup tree after another.

Each place is a function that makes it, and says where the process goes and what must come of it.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
USER = 1000
# Numbers of the system calls that Python has no names for.
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
_CLONE_NEWNS, _CLONE_NEWCGROUP = 0x00020000, 0x02000000
_MNT_DETACH = 2
_POWER_OFF = 0x4321FEDC

_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Stay:
    """Where pytest goes, and what must come of it: a parent for our cgroups, or else a reason.

    `enter` runs in the new process when it has joined. `remedy` says that the message's own remedy
    is to be tried, and which parent there is afterwards.
    """

    cgroup: Path
    parent: Path | None = None
    reason: str = ""
    remedy: Path | None = None
    user: int = 0
    enter: Callable[[], None] = lambda: None


def root() -> Stay:
    """Root in the root cgroup."""
    delegate(ROOT)
    return Stay(ROOT, parent=ROOT)


def child() -> Stay:
    """Root in a cgroup beside which ours go."""
    delegate(ROOT)
    return Stay(make("pytest"), parent=ROOT)


def user() -> Stay:
    """A user to whom a part of the tree is delegated (cgroup-v2.rst, "Delegation")."""
    delegate(ROOT)
    top = make("user")
    delegate(top)
    leaf = make("user/leaf")
    for folder in (top, leaf):
        os.chown(folder, USER, USER)
        for name in ("cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
            os.chown(folder / name, USER, USER)
    return Stay(leaf, parent=top, user=USER)


def oom_group() -> Stay:
    """In cgroups that the OOM killer kills as a whole."""
    delegate(ROOT)
    top = make("group")
    delegate(top)
    leaf = make("group/pytest")
    for folder in (top, leaf):
        (folder / "memory.oom.group").write_text("1")
    return Stay(leaf, parent=top)


def fewer() -> Stay:
    """Below a cgroup with one of the controllers, below one with both."""
    delegate(ROOT)
    delegate(make("both"))
    delegate(make("both/one"), "+pids")
    return Stay(make("both/one/pytest"), parent=ROOT / "both")


def threaded() -> Stay:
    """In a cgroup that may have threaded children only: it has processes and a threaded controller."""
    delegate(ROOT)
    folder = make("mixed")
    return Stay(folder, parent=ROOT, enter=lambda: delegate(folder, "+pids"))


def undelegated() -> Stay:
    """Root below cgroups that have the controllers and give none of them away."""
    return Stay(make("deep/deeper"), reason="^no cgroup at or above .*/deep/deeper is delegated", remedy=ROOT)


def container() -> Stay:
    """Root in a container whose processes are all in the topmost cgroup that it sees."""
    delegate(ROOT)
    folder = make("box")
    join(folder, subprocess.Popen(["sleep", "1000"]).pid)
    return Stay(folder, reason=f"^no cgroup at or above {ROOT} is delegated", remedy=ROOT, enter=contain)


def container_without() -> Stay:
    """Root in a container that has no controllers from outside."""
    return Stay(make("box"), reason=f"^{ROOT} has no memory controller", enter=contain)


def container_read_only() -> Stay:
    """Root in a container that may look at its cgroups only."""
    delegate(ROOT)

    def enter() -> None:
        contain()
        mount("none", ROOT, "", _MS_REMOUNT | _MS_BIND | _MS_RDONLY)

    return Stay(make("box"), reason=f"^{ROOT} is mounted read-only", enter=enter)


def read_only() -> Stay:
    """Root, where the whole tree is read-only and the controllers are delegated."""
    delegate(ROOT)

    def enter() -> None:
        unshare()
        mount("none", ROOT, "", _MS_REMOUNT | _MS_BIND | _MS_RDONLY)

    return Stay(make("pytest"), reason=f"^{ROOT} is mounted read-only", enter=enter)


def stranger() -> Stay:
    """A user to whom nothing is delegated."""
    delegate(ROOT)
    return Stay(make("pytest"), reason="^no cgroup at or above .* is delegated .* to this user", user=USER)


def unmounted() -> Stay:
    """Root, where no cgroups are mounted."""

    def enter() -> None:
        unshare()
        _check(_LIBC.umount2(bytes(ROOT), _MNT_DETACH))

    return Stay(ROOT, reason="^cgroup v2 is not mounted$", enter=enter)


PLACES = (
    root, child, user, oom_group, fewer, threaded,
    undelegated, container, container_without, container_read_only, read_only, stranger, unmounted,
)  # fmt: skip


def make(name: str) -> Path:
    """A new cgroup."""
    folder = ROOT / name
    folder.mkdir(parents=True)
    return folder


def join(folder: Path, pid: int = 0) -> None:
    """Move a process, by default this one."""
    (folder / "cgroup.procs").write_text(str(pid))


def delegate(folder: Path, controllers: str = "+memory +pids") -> None:
    """Give the children of a cgroup these controllers."""
    (folder / "cgroup.subtree_control").write_text(controllers)


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source: str, target: Path, kind: str, flags: int = 0) -> None:
    """Make a file system appear at `target`."""
    _check(_LIBC.mount(source.encode(), bytes(target), kind.encode(), ctypes.c_ulong(flags), None))


def unshare(more: int = 0) -> None:
    """Have mounts of our own from now on."""
    _check(_LIBC.unshare(_CLONE_NEWNS | more))
    mount("none", Path("/"), "", _MS_REC | _MS_PRIVATE)


def contain() -> None:
    """See the cgroup that we are in as the topmost one, as a container does."""
    unshare(_CLONE_NEWCGROUP)
    _check(_LIBC.umount2(bytes(ROOT), _MNT_DETACH))
    mount("none", ROOT, "cgroup2")


def run(stay: Stay, arguments: list[str]) -> int:
    """Run guest.py there; its exit code."""

    def enter() -> None:
        join(stay.cgroup)
        stay.enter()
        if stay.user:
            os.setgroups([])
            os.setgid(stay.user)
            os.setuid(stay.user)

    environment = {
        "PATH": "/bin",
        "HOME": "/tmp",
        "PYTHONPATH": "/packages",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TFKERNEL_GUEST_PARENT": str(stay.parent or ""),
        "TFKERNEL_GUEST_REASON": stay.reason,
        "TFKERNEL_GUEST_REMEDY": str(stay.remedy or ""),
    }
    options = ["-v", "--tb=short", "--color=no", "--import-mode=importlib", "-p", "no:cacheprovider", "-c", "/dev/null"]
    test = "TestPossible" if stay.parent else "TestImpossible"
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir=/guest", f"/guest/guest.py::{test}", *arguments],
        cwd="/tmp",
        env=environment,
        preexec_fn=enter,
        check=False,
    ).returncode


def clear() -> None:
    """Leave nothing of a place, so that the next one finds a fresh tree."""
    for path, _, _ in os.walk(ROOT, topdown=False):
        if path == str(ROOT):
            continue
        for pid in Path(path, "cgroup.procs").read_text().split():
            os.kill(int(pid), 9)
            os.waitpid(int(pid), 0)
        Path(path).rmdir()
    delegate(ROOT, "-memory -pids")


def main() -> None:
    """Run guest.py everywhere, say how it went, and switch the machine off."""
    for kind, folder in (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("cgroup2", str(ROOT))):
        mount("none", Path(folder), kind)
    Path("/dev/shm").mkdir(mode=0o1777, exist_ok=True)
    mount("none", Path("/dev/shm"), "tmpfs")
    places, arguments = json.loads(Path("/guest/request.json").read_text())
    chosen = [place for place in PLACES if not places or place.__name__ in places]
    print(f"guest: Linux {os.uname().release}, Python {sys.version.split()[0]}")
    failed = []
    for place in chosen:
        print(f"\nguest: {place.__name__}: {place.__doc__}")
        started = time.monotonic()
        code = run(place(), arguments)
        clear()
        # 5: the arguments chose other tests.
        if code not in {0, 5}:
            failed.append(place.__name__)
        print(f"guest: {place.__name__}: exit code {code} after {time.monotonic() - started:.0f} s")
    print(f"\nguest: failed: {', '.join(failed) or 'nowhere'}")
    print(f"guest: exit code {int(bool(failed))}")


if __name__ == "__main__":
    try:
        main()
    except Exception:  # noqa: BLE001 - nobody is above us who could print it
        traceback.print_exc()
    finally:
        _LIBC.reboot(_POWER_OFF)
