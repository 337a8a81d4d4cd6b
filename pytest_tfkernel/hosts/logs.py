"""Words for the log of whoever manages kernels, which somebody is to hear."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any


def warn(log: Any, text: str) -> None:
    """Warn in this log, or, where nobody has set it up, on the stderr with which this process began.

    A server has set up its own. That of traitlets, which Spyder has, is silenced by a handler that does nothing, and
    `sys.stderr` is a pane of Spyder's, which takes a stack for a failure of Spyder itself.
    """
    if is_heard(getattr(log, "logger", log)):
        log.warning(text)
        return
    with contextlib.suppress(OSError, ValueError):
        if sys.__stderr__ is not None:
            sys.__stderr__.write(f"{text}\n".encode("utf-8", "backslashreplace").decode("utf-8"))
            sys.__stderr__.flush()


def is_heard(logger: logging.Logger | None) -> bool:
    """Whether anybody handles what is said there."""
    while logger is not None:
        if any(not isinstance(one, logging.NullHandler) for one in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False
