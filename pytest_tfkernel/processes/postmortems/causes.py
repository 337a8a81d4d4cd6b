"""What a death means: the one place where that is decided."""

from __future__ import annotations

import signal
from collections.abc import Collection

from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer

# Signals that a process brings upon itself by a crash. Anyone could send them, but nobody does.
_CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS}
)

_ENDED = ", so it was ended"


def ended_by_itself(note: str) -> str:
    """What is to be said of a process that we meant to end, and that had ended otherwise before we came to it."""
    if note.endswith(_ENDED):
        return f"{note.removesuffix(_ENDED)}, and was gone before we ended it"
    return f"{note}, but was gone before"


def judge(
    status: ExitStatus, sent: Collection[int], *, oom_killed: bool, deadline: bool = False
) -> tuple[Cause, Killer]:
    """Why a process ended and who did it.

    `sent` are the signals that we sent it and that may have ended it, `oom_killed` says whether the OOM killer has
    taken it, if SIGKILL did, and `deadline` whether we meant to end it since its time was up.
    """
    if status.signal is None:
        return Cause.EXIT, Killer.SELF
    if status.signal in sent:
        return Cause.DEADLINE if deadline else Cause.SIGNAL, Killer.US
    if status.signal == signal.SIGKILL and oom_killed:
        return Cause.OOM_KILL, Killer.OOM_KILLER
    return Cause.SIGNAL, Killer.SELF if status.signal in _CRASHES else Killer.UNKNOWN
