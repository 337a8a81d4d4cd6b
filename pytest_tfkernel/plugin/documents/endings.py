"""How a session ended: of itself, or cut short, and by what."""

from __future__ import annotations

import pytest


class SessionEnding:
    """What is known of it so far; told by the hooks of a session."""

    def __init__(self) -> None:
        self._broken = ""
        self._stopped = ""

    def interrupted(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """What ended the session was raised: by Ctrl-C, by `pytest.exit`, or by what stops a run between two items."""
        said = str(excinfo.value)
        if isinstance(excinfo.value, pytest.exit.Exception):
            self._broken = f"pytest.exit: {said}" if said else "pytest.exit"
        elif excinfo.type is KeyboardInterrupt:
            self._broken = "interrupted"
        else:
            # pytest and pytest-xdist each have a class of their own for it.
            self._stopped = said or excinfo.type.__name__

    def failed(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """An error inside pytest or a plugin."""
        self._broken = f"internal error: {excinfo.type.__name__}"

    def uncollected(self, nodeid: str) -> None:
        """What this file has to run isn't known."""
        self._broken = f"{nodeid} can't be collected"

    def lost(self, worker: str) -> None:
        """A worker of pytest-xdist has died."""
        self._stopped = self._stopped or f"worker {worker} died"

    def cut_by(self, session: pytest.Session, *, everything: bool) -> str:
        """What cut the run short, in words; empty where it came to its end.

        `everything`: items were collected, and each of them has its report. Stopping after the last one cuts nothing.
        """
        stopped = self._stopped or session.shouldfail or session.shouldstop
        return self._broken or ("" if everything or not stopped else str(stopped))
