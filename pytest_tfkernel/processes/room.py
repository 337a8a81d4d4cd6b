"""Limits of the system that are in the way, and what a person raises then."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from pytest_tfkernel.model.errors import KernelStartError, NoRoomError

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# By the error that says that there is no more.
_ADVICE = {
    errno.EAGAIN: "no further process or thread may be started: raise `ulimit -u`, or the pids limit of the container",
    errno.EMFILE: "no further descriptor may be opened: raise `ulimit -n`, or close some",
    errno.ENFILE: "the machine has no descriptor left: close some",
    errno.ENOMEM: "there is no memory left",
}


def error_for(text: str, number: int | None) -> KernelStartError:
    """A NoRoomError with what to do, where the error number is that of a limit."""
    advice = _ADVICE.get(number or 0)
    return NoRoomError(f"{text}: {advice}") if advice is not None else KernelStartError(text)


@dataclass(frozen=True)
class Needed:
    """A context in which a limit that is met is told as NoRoomError; `what` is what it prevents."""

    what: str

    def __enter__(self) -> None:
        """There is nothing to prepare."""

    def __exit__(self, _: object, error: BaseException | None, trace: object) -> None:
        # No generator of contextlib's, whose frame pytest would show.
        if isinstance(error, OSError) and error.errno in _ADVICE:
            raise error_for(f"{self.what}: {error}", error.errno) from None
