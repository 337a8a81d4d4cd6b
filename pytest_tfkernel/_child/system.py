"""A look at the machine with the functions that were there when this was imported.

A test may put others in their place: a fake file system (pyfakefs), a mock that refuses, another pid. They are kept
in a class, since pyfakefs replaces the names of modules, whatever they stand for.
"""

import os
import stat
from typing import List, Tuple

_BYTES = 1 << 16
# Made where it is needed, the flag would be that of another's `os`.
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)


class _Kept:
    open = staticmethod(os.open)
    read = staticmethod(os.read)
    close = staticmethod(os.close)
    listdir = staticmethod(os.listdir)
    scandir = staticmethod(os.scandir)
    readlink = staticmethod(os.readlink)
    stat = staticmethod(os.stat)
    lstat = staticmethod(os.lstat)
    getpid = staticmethod(os.getpid)
    getcwd = staticmethod(os.getcwd)


def read(path: str, most: int = -1) -> bytes:
    """A file, or its first bytes, at least `most` of them if there are so many; OSError when it can't be read."""
    descriptor = _Kept.open(path, _READ)
    try:
        parts = [_Kept.read(descriptor, _BYTES)]
        while parts[-1] and not 0 <= most <= sum(map(len, parts)):
            parts.append(_Kept.read(descriptor, _BYTES))
    finally:
        _Kept.close(descriptor)
    return b"".join(parts)


def names(folder: str) -> List[str]:
    """What lies in a folder; OSError when it can't be listed."""
    return _Kept.listdir(folder)


def inodes(folder: str) -> List[Tuple[str, int]]:
    """The same, with the number of each; OSError when it can't be listed."""
    # Of its overloads mypy takes the first.
    with _Kept.scandir(folder) as entries:  # type: ignore[arg-type]
        return [(entry.name, entry.inode()) for entry in entries]


def link(path: str) -> str:
    """Where a link leads to, which need be no path in /proc; OSError when it can't be read."""
    return _Kept.readlink(path)


def status(path: str) -> os.stat_result:
    """Of what a path leads to; OSError when it can't be read."""
    return _Kept.stat(path)


def own_status(path: str) -> os.stat_result:
    """Of a path, though it be a link; OSError when it can't be read."""
    return _Kept.lstat(path)


def exists(path: str) -> bool:
    """Whether there is anything of that name; what can't be looked at isn't there."""
    try:
        _Kept.lstat(path)
    except (OSError, ValueError):
        return False
    return True


def is_folder(path: str) -> bool:
    """Whether it is one, and no link to one."""
    try:
        return stat.S_ISDIR(_Kept.lstat(path).st_mode)
    except OSError:
        return False


def absolute(path: str) -> str:
    """A path from the root, without `.`, `..` and double slashes."""
    if not path.startswith("/"):
        path = _Kept.getcwd() + "/" + path
    parts = []  # type: List[str]
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)


def pid() -> int:
    """Of this process."""
    return _Kept.getpid()
