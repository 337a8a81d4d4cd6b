"""Descriptors of ours in pytest's process, where a test may close what isn't its own and open another in its place.

By way of `posix`: what a test puts in the place of `os` knows nothing of them.
"""

from __future__ import annotations

import contextlib
import posix
from dataclasses import dataclass

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


@dataclass(frozen=True)
class Owned:
    """A number, and the file that was there when it became ours."""

    number: int
    identity: tuple[int, int]

    @classmethod
    def take(cls, number: int) -> Owned:
        """Of one that is open."""
        found = posix.fstat(number)
        return cls(number, (found.st_dev, found.st_ino))

    def is_ours(self) -> bool:
        """Whether that file is still there."""
        try:
            found = posix.fstat(self.number)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self.identity

    def close(self) -> None:
        """Close it, unless somebody has."""
        if self.is_ours():
            with contextlib.suppress(OSError):
                posix.close(self.number)
