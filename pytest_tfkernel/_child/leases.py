"""Leases: numbers worn by what is started in someone's name. Used by pytest's process; no child gives any."""

import resource
import secrets
from typing import Optional

# Larger ones are no soft limit everywhere.
_HIGHEST = 1 << 60


class Numbers:
    """Numbers in a row from a random one, which nobody else on this machine is likely to give.

    `lowest` is the first that may come, `most` how many are ever given. Where `hard`, the hard limit on file locks, is
    too small for as many again, `is_room` is False, and some of them can't be worn (see `process.restrict`).
    """

    def __init__(self, lowest: int, most: int, hard: int) -> None:
        highest = _HIGHEST if hard == resource.RLIM_INFINITY else min(hard, _HIGHEST)
        # Room enough for two to miss each other.
        self.is_room = highest >= 2 * most
        self._first = self._next = lowest + secrets.randbelow(max(1, highest - lowest - most))

    def new(self, count: int = 1) -> int:
        """The first of so many in a row that nobody wears."""
        first = self._next
        self._next += count
        return first

    def has_given(self, lease: Optional[int]) -> bool:
        """Whether it is one of these."""
        return lease is not None and self._first <= lease < self._next
