"""What the running phase of a test has printed and logged, in files of ours that outlive its process."""

from __future__ import annotations

import contextlib
import posix
from fcntl import F_SETFL

from pytest_tfkernel._child import originals
from pytest_tfkernel.processes.descriptors import Owned

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# What is shown of a stream after a death.
_TAIL_BYTES = 64 * 1024
# A test may print as much in one phase; of more than that, only the end is kept.
MOST_BYTES = 128 << 20
# One that isn't printed: the paths that a test makes, for the gate.
CLAIMS = "claims"


class PhaseOutput:
    """A file in memory that holds what the phase of a test that runs has written to one stream; pytest empties it."""

    def __init__(self, name: str) -> None:
        self.name = name
        # What was cut since somebody has asked: how much, and its end.
        self._cut, self._end = 0, b""
        descriptor = posix.memfd_create(f"tfkernel-{name}", posix.MFD_CLOEXEC)
        # Its writers share this open file: after it was emptied, they go on at its beginning.
        originals.fcntl(descriptor, F_SETFL, posix.O_APPEND)
        self.owned = Owned.take(descriptor)

    def read(self) -> str:
        """Its end, as text."""
        if not self.owned.is_ours():
            return ""
        size = posix.fstat(self.owned.number).st_size
        first = max(0, size - _TAIL_BYTES)
        text = posix.pread(self.owned.number, _TAIL_BYTES, first).decode("utf-8", "backslashreplace")
        cut, end = self.cut()
        # What was cut is shown only where little has come after it.
        shown = f"{end}{text}"[-_TAIL_BYTES:]
        return f"({cut + first} bytes were cut)\n{shown}" if cut + first else shown

    def bound(self) -> None:
        """Cut what is too long, while its writers write on, and pytest there may be reading it just now."""
        if not self.owned.is_ours():
            return
        number = self.owned.number
        size = posix.fstat(number).st_size
        if size > MOST_BYTES:
            end = posix.pread(number, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
            with contextlib.suppress(OSError):
                posix.ftruncate(number, 0)
                self._cut, self._end = self._cut + size, end

    def cut(self) -> tuple[int, str]:
        """How many bytes were cut since this was asked last, and the last of them as text."""
        cut, end = self._cut, self._end.decode("utf-8", "backslashreplace")
        self._cut, self._end = 0, b""
        return cut, end

    def close(self) -> None:
        """Free it."""
        self.owned.close()
