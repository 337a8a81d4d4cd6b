"""Descriptors of ours in pytest's process, where a test may close what isn't its own and open another in its place.

By way of `posix`: what a test puts in the place of `os` knows nothing of them.
"""

from __future__ import annotations

import contextlib
import posix
from dataclasses import dataclass
from typing import Protocol

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


class DescriptorHolder(Protocol):
    """Something that holds a descriptor in this process."""

    @property
    def owned(self) -> Owned:
        """It, and the file behind it."""


class Kept:
    """What a session holds whichever kernels come and go: opened at any time, closed when whoever it is for has ended.

    Each is known by its number and the file that is there. What a kernel alone needs isn't kept.
    """

    def __init__(self) -> None:
        self._owned: set[Owned] = set()

    def add(self, *holders: DescriptorHolder | Owned) -> None:
        """Keep these, until they are closed."""
        self._owned.update(one if isinstance(one, Owned) else one.owned for one in holders)

    def numbers(self) -> frozenset[int]:
        """Those that are open now."""
        # Another thread may add some meanwhile.
        self._owned -= {one for one in tuple(self._owned) if not one.is_ours()}
        return frozenset(one.number for one in self._owned)
