"""The terminal reporter of a process whose terminal is pytest's."""

from __future__ import annotations

from typing import Any


class Silent:
    """One whose hooks nobody calls, and which says nothing; whoever asks it for something gets it."""

    def __init__(self, reporter: object) -> None:
        self._reporter = reporter

    def __getattr__(self, name: str) -> Any:
        """What the reporter itself has."""
        return getattr(self._reporter, name)
