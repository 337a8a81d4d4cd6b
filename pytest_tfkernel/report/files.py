"""Files that are put in their places whole: an older one stays until then."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def is_ordinary(path: Path) -> bool:
    """Whether a file can be put there: a rename would put one in the place of /dev/null, too."""
    return path.is_file() or not path.exists()


def write(path: Path, text: str, errors: str = "strict") -> None:
    """Put a text in its place, and where a link leads to. Raises OSError."""
    place = Path(os.path.realpath(path))
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not is_ordinary(place):
        raise OSError(errno.EINVAL, "it is no ordinary file")
    aside = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8", errors=errors)
        aside.replace(place)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file; of files that aren't there, whether they are one path."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return one == other
