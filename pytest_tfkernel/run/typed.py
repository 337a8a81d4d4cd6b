"""What standard input says to a kernel that asks for a line, as `input()` and `getpass` of a terminal take it."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
from typing import Any

# How a front end of Jupyter's says that there is no more: the kernel raises EOFError.
END = "\x04"
_CHUNK = 1 << 16
# What goes to a kernel is one frame.
_LONGEST = 8 << 20
_LFLAGS = 3


class TypedLines:
    """Lines of a descriptor, one for each question; what has come beyond a line is kept for the next."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._encoding = getattr(sys.stdin, "encoding", None) or "utf-8"
        self._pending = b""
        self._before: list[Any] | None = None

    def hide(self) -> None:
        """What is typed from now on isn't shown, where it is a terminal."""
        with contextlib.suppress(termios.error, OSError):
            before = termios.tcgetattr(self._descriptor)
            hidden = [*before]
            hidden[_LFLAGS] &= ~termios.ECHO
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, hidden)
            self._before = before

    def show(self) -> bool:
        """As it was before; whether it was hidden."""
        before, self._before = self._before, None
        if before is None:
            return False
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, before)
        return True

    def take(self) -> str | None:
        """The next line without its end, or `END`; None while there is none. Never waits."""
        while b"\n" not in self._pending and len(self._pending) < _LONGEST:
            data = self._read()
            if data is None:
                return None
            if not data:
                # A terminal may go on after it.
                rest, self._pending = self._pending, b""
                return self._text(rest) if rest else END
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return self._text(line)

    def _read(self) -> bytes | None:
        """None where nothing has come; b"" where nothing will."""
        if not _has_news(self._descriptor):
            return None
        try:
            return os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _text(self, line: bytes) -> str:
        return line.removesuffix(b"\r").decode(self._encoding, "backslashreplace")


def _has_news(descriptor: int) -> bool:
    """Whether a read would not wait; also where it fails."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
