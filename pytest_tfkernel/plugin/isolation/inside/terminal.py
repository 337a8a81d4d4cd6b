"""The terminal reporter of a process whose terminal is pytest's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

Send = Callable[[dict[str, Any]], None]


class Distant:
    """One whose hooks nobody calls; what is written by it, pytest's own writes."""

    def __init__(self, reporter: Any, send: Send, is_captured: Callable[[], bool]) -> None:
        self._reporter = reporter
        # The writer that `config.get_terminal_writer()` gives, too.
        reporter._tw._file = Wire(send, is_captured)  # noqa: SLF001 - a writer of another file would know another width
        # Whether the cursor is in a line is known there.
        reporter.ensure_newline = lambda: None if is_captured() else send({"kind": "written", "text": None})

    def __getattr__(self, name: str) -> Any:
        """What the reporter itself has."""
        return getattr(self._reporter, name)


class Wire:
    """A file whose text is told."""

    def __init__(self, send: Send, is_captured: Callable[[], bool]) -> None:
        self._send = send
        self._is_captured = is_captured

    def write(self, text: str) -> int:
        """At once: who looks at a terminal waits for it. What a plain pytest would capture, ours captures, too."""
        if text and self._is_captured() and sys.__stdout__ is not None:
            sys.__stdout__.write(text)
            sys.__stdout__.flush()
        elif text:
            self._send({"kind": "written", "text": text})
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""

    def isatty(self) -> bool:
        """Not here."""
        return False
