"""One at a time: other threads wait for their turn, and a signal handler is told that it can't have one."""

from __future__ import annotations

import threading

from pytest_tfkernel.model.errors import BusyError

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


class Turns:
    """`with turns.next():` - the lock itself is entered, so that no interruption leaves it taken."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def next(self) -> threading.RLock:
        """The lock to enter. Raises BusyError in a handler that has interrupted whoever has it."""
        if self._lock._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001 - as `threading.Condition` asks its lock
            raise BusyError(
                "a signal handler can't call this while it interrupts another such call: let it only set a flag,"
                " or raise"
            )
        return self._lock
