"""Where kernels put their temporary files: below one folder per session, which goes with its supervisor."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

_PREFIX = "tfk-"
# The path of a Unix socket is at most 107 bytes (unix(7)), and this one is made by multiprocessing's fork server.
_LONGEST_BASE = 107 - len("/tfk-4194304-01234567/1000000/pymp-01234567/listener-01234567")
_SHORT = Path("/tmp")  # noqa: S108 - a folder of our own name, and for us alone
_STALE_SECONDS = 60


def find_place(base: Path | None = None) -> Path:
    """Where a new folder of ours can be made; those of sessions that were killed with their supervisor are removed."""
    base = _usable(base if base is not None else Path(tempfile.gettempdir()))
    for folder in base.glob(f"{_PREFIX}*-*"):
        with contextlib.suppress(OSError, ValueError):
            pid, found = int(folder.name.split("-")[1]), folder.lstat()
            # One that was made just now may be of a session whose processes have other numbers here.
            is_stale = time.time() - found.st_mtime > _STALE_SECONDS and not Path(f"/proc/{pid}").exists()
            if is_stale and found.st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
    return base / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"


def remove_of(pid: int, base: Path) -> None:
    """Remove what a session leaves that was killed with its supervisor; `base` is what was its TMPDIR."""
    for folder in _usable(base).glob(f"{_PREFIX}{pid}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _usable(base: Path) -> Path:
    """Itself, where sockets can be made below it."""
    is_short = len(os.fsencode(base)) <= _LONGEST_BASE
    return base if is_short or not os.access(_SHORT, os.W_OK | os.X_OK) else _SHORT
