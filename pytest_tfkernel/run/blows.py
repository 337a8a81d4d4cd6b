"""When a fault strikes a script: after some time, or when the script says that it is where it is to happen."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Protocol

from pytest_tfkernel._child import moments, proc
from pytest_tfkernel.kernels.generations.life import Life


class Blow(Protocol):
    """A fault that is to strike; see `faults`."""

    @property
    def moment(self) -> dict[str, Any] | None:
        """At which moment of the script, as `_child.moments` reads it; None where it isn't asked."""

    @property
    def seconds(self) -> float | None:
        """After how many seconds, if it strikes by time."""

    def strike(self, life: Life) -> None:
        """Strike, unless the script does that itself."""


class BlowAtScript:
    """One blow at one script, at most once. `struck` says whether it has come; `ours` is the socket to listen to."""

    def __init__(self, blow: Blow, life: Life) -> None:
        self._blow = blow
        self._life = life
        self._due = float("inf")
        # A script that has not begun yet would ignore an interrupt.
        self._has_begun = blow.moment is None
        self.ours: int | None = None
        self.struck = False

    @property
    def moment(self) -> dict[str, Any] | None:
        """See `Blow`."""
        return self._blow.moment

    def pair(self) -> int:
        """The other end of the socket, for a script that has a moment; the caller closes it."""
        import socket

        ours, theirs = socket.socketpair()
        self.ours = ours.detach()
        return theirs.detach()

    def begin(self, now: float) -> None:
        """The script begins."""
        if self._blow.seconds is not None:
            self._due = now + self._blow.seconds

    @property
    def deadline(self) -> float:
        """When there is something to do."""
        return self._due if self._has_begun else float("inf")

    def mind_the_time(self, now: float) -> None:
        """Strike if it is time, or have the script do that."""
        if now < self.deadline:
            return
        self._due = float("inf")
        moment = self._blow.moment
        if moment is None or not moment["knock"]:
            self._strike()
        elif self.ours is not None and proc.catches(self._life.process.pid, moments.KNOCK_SIGNAL):
            # One that has become another program has no handler, and would die of it.
            self._life.signal(moments.KNOCK_SIGNAL)

    def hear(self) -> None:
        """The script has said something, or has closed its end."""
        if self.ours is None:
            return
        with contextlib.suppress(OSError):
            word = os.read(self.ours, 1)
            self._has_begun = True
            if word == moments.READY:
                return
            if word:
                self._strike()
                # It goes on, if it lives.
                os.write(self.ours, moments.GO)
        self.close()

    def close(self) -> None:
        """Free what is ours."""
        if self.ours is not None:
            os.close(self.ours)
            self.ours = None

    def _strike(self) -> None:
        self.struck = True
        self._blow.strike(self._life)
