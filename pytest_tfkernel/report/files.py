"""Files that are put in their places whole: an older one stays until then."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Put a text in its place. Raises OSError."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file; of files that aren't there, whether they are one path."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return one == other
