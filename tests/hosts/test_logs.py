"""A warning reaches somebody, whatever the log is."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_tfkernel.hosts import logs


@dataclass
class Log:
    """A logger that nobody else knows: pytest sets up all others."""

    handlers: list[logging.Handler] = field(default_factory=lambda: [logging.NullHandler()])
    parent: Any = None
    propagate: bool = True
    said: list[str] = field(default_factory=list)

    def warning(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Log:
    """Ours, which Python shows on stderr."""
    own = Log()
    monkeypatch.setattr(logs, "_OWN", own)
    return own


@dataclass
class Adapter:
    """As `logging.LoggerAdapter`."""

    logger: Log

    def warning(self, text: str) -> None:
        self.logger.warning(text)


HEARD = Log([logging.StreamHandler()])


@pytest.mark.parametrize(
    "log", [Log([logging.StreamHandler()]), Log(parent=HEARD), Adapter(Log(parent=Log(parent=HEARD)))]
)
def test_a_log_that_is_set_up_has_it(log: Any, own: Log) -> None:
    logs.warn(log, "died")
    assert (getattr(log, "logger", log).said, own.said) == (["died"], [])


@pytest.mark.parametrize("log", [Log(), Log([]), Log(parent=Log()), Log(parent=HEARD, propagate=False)])
def test_where_nobody_has_set_one_up_python_shows_it(log: Any, own: Log) -> None:
    logs.warn(log, "died")
    assert (log.said, own.said) == ([], ["died"])
