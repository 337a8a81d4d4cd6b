"""What ends an upgrade before there is an answer."""

from __future__ import annotations


class UpgradeError(Exception):
    """Something can't be installed or run; the text says what and what to do, in one line."""
