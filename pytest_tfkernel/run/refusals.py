"""What can't be run."""

from __future__ import annotations


class WishError(Exception):
    """The text says what to do."""
