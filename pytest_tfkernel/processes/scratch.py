"""Where kernels put their temporary files: below one folder per session, which goes with its supervisor.

The folder is in use as long as somebody holds its lock, as the supervisor does. Sessions that share a TMPDIR may be in
containers, or on hosts, that don't see each other's processes, so nothing but the lock says who lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel._child import removal
from pytest_tfkernel.processes.descriptors import Owned

_NAME = re.compile(r"tfk-\d+-[0-9a-f]{8}")
# The path of a Unix socket is at most 107 bytes (unix(7)), and this one is made by multiprocessing's fork server.
_LONGEST_BASE = 107 - len("/tfk-4194304-01234567/1000000/pymp-01234567/listener-01234567")
_SHORT = Path("/tmp")  # noqa: S108 - a folder of our own name, and for us alone
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Where a lock is seen by all who could hold it. Others may be of a network, whose locks may end at the host.
_LOCAL = {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "ramfs", "tmpfs", "xfs", "zfs"}

Hold = Callable[[Path, int], bool]


@dataclass(frozen=True)
class Scratch:
    """A folder of ours, for us alone, and a descriptor of it."""

    path: Path
    descriptor: Owned

    @classmethod
    def open(cls, path: Path) -> Scratch:
        """Of a folder that exists; nobody has its lock by that. Raises OSError."""
        return cls(path, Owned.take(os.open(path, _FOLDER)))

    def reopen(self) -> int:
        """Another descriptor of it, whose lock is another one. Raises FileNotFoundError when it has been removed."""
        try:
            return os.open(".", _FOLDER, dir_fd=self.descriptor.number)
        except OSError:
            self.close()
            raise

    def is_there(self) -> bool:
        """Whether the path still leads to it: others may have removed it, and made another one of that name.

        False, too, when somebody has closed our descriptor.
        """
        try:
            there = self.path.lstat()
        except OSError:
            return False
        return self.descriptor.is_ours() and (there.st_dev, there.st_ino) == self.descriptor.identity

    def make(self, name: str) -> Path:
        """A new folder in it, for us alone. Raises FileNotFoundError when it has been removed."""
        os.mkdir(name, 0o700, dir_fd=self.descriptor.number)
        return self.path / name

    def close(self) -> None:
        """Free the descriptor."""
        self.descriptor.close()


def make(hold: Hold, base: Path | None = None) -> Scratch:
    """A new folder; those of sessions that were killed with their supervisor are removed before.

    `hold` takes its lock by a descriptor that isn't ours, and says whether it got it. Raises OSError, and what `hold`
    raises.
    """
    # TMPDIR may be a relative one, and our processes work elsewhere.
    base = _usable(base if base is not None else Path(tempfile.gettempdir()).absolute())
    sweep(base)
    while True:
        path = base / f"tfk-{os.getpid()}-{secrets.token_hex(4)}"
        path.mkdir(mode=0o700)
        try:
            made = Scratch.open(path)
            given = made.reopen()
        except FileNotFoundError:
            continue  # Another session has found it in the moment before it was locked, and removed it.
        try:
            if hold(path, given) and made.is_there():
                return made
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                path.rmdir()
            made.close()
            raise
        finally:
            os.close(given)
        made.close()


def sweep(base: Path) -> None:
    """Remove what nobody uses any more. Where a lock can't be trusted, everything stays."""
    if _type_of(base) not in _LOCAL:
        return
    for path in base.glob("tfk-*"):
        if _NAME.fullmatch(path.name):
            _remove_unused(path)


def remove_of(pid: int, base: Path) -> None:
    """Remove what a session leaves that was killed with its supervisor; `base` is what was its TMPDIR."""
    base = _usable(base)
    if _type_of(base) not in _LOCAL:
        return
    for path in base.glob(f"tfk-{pid}-*"):
        _remove_unused(path)


def _remove_unused(path: Path) -> None:
    with contextlib.suppress(OSError):
        found = Scratch.open(path)
        try:
            if os.fstat(found.descriptor.number).st_uid == os.getuid() and _take(found):
                removal.remove(str(path))
        finally:
            found.close()


def _take(scratch: Scratch) -> bool:
    """Take its lock; False when somebody else has it, or had it and has removed the folder.

    Raises OSError where there are no locks.
    """
    try:
        fcntl.flock(scratch.descriptor.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return scratch.is_there()


def _type_of(folder: Path) -> str:
    """The type of the file system that a folder is on; empty when it can't be told."""
    import psutil

    real = folder.resolve()
    try:
        # The last one at a place hides those below it.
        mounts = {one.mountpoint: one.fstype for one in psutil.disk_partitions(all=True)}
    except OSError:
        return ""
    return next((mounts[str(place)] for place in (real, *real.parents) if str(place) in mounts), "")


def _usable(base: Path) -> Path:
    """Itself, where sockets can be made below it."""
    is_short = len(os.fsencode(base)) <= _LONGEST_BASE
    return base if is_short or not os.access(_SHORT, os.W_OK | os.X_OK) else _SHORT
