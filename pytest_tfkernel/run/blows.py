"""When a fault strikes a script: after some time, or when the script says that it is where it is to happen."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Protocol

from pytest_tfkernel._child import moments
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.model.processes import ProcessId

_CAUGHT = "SigCgt:"


class Blow(Protocol):
    """A fault that is to strike; see `faults`."""

    @property
    def moment(self) -> dict[str, Any] | None:
        """At which moment of the script, as `_child.moments` reads it; None for what comes from outside."""

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
        # Whether the script would hear a knock; one that never does isn't waited for.
        self._hears = blow.moment is None
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
        return self._due if self._hears else float("inf")

    def mind_the_time(self, now: float) -> None:
        """Strike if it is time, or have the script do that."""
        if now < self.deadline:
            return
        self._due = float("inf")
        if self._blow.moment is None:
            self._strike()
        elif self.ours is not None and catches(self._life.process, moments.KNOCK_SIGNAL):
            self._life.signal(moments.KNOCK_SIGNAL)

    def hear(self) -> None:
        """The script has said something, or has closed its end."""
        if self.ours is None:
            return
        with contextlib.suppress(OSError):
            word = os.read(self.ours, 1)
            if word == moments.READY:
                self._hears = True
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


def catches(process: ProcessId, number: int) -> bool:
    """Whether a process has a handler for a signal: one that has become another program has none, and would die."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(_CAUGHT):
                return bool(int(line.removeprefix(_CAUGHT), 16) >> (number - 1) & 1)
    return False
