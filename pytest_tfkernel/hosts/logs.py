"""Words for the log of whoever manages kernels, which somebody is to hear."""

from __future__ import annotations

import logging
from typing import Any

_OWN = logging.getLogger(__name__)


def warn(log: Any, text: str) -> None:
    """Warn in this log, or, where nobody has set it up, as Python does: on stderr.

    A server has one. That of traitlets, which Spyder has, is silenced by a handler that does nothing.
    """
    (log if is_heard(getattr(log, "logger", log)) else _OWN).warning(text)


def is_heard(logger: logging.Logger | None) -> bool:
    """Whether anybody handles what is said there."""
    while logger is not None:
        if any(not isinstance(one, logging.NullHandler) for one in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False
