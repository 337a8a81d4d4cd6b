"""A warning reaches somebody, whatever the log is."""

from __future__ import annotations

import io
import logging
import sys
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
def stderr(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """That with which this process began; another one has taken its place since."""
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", stderr)
    return stderr


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
def test_a_log_that_is_set_up_has_it(log: Any, stderr: io.StringIO) -> None:
    logs.warn(log, "died")
    assert (getattr(log, "logger", log).said, stderr.getvalue()) == (["died"], "")


@pytest.mark.parametrize("log", [Log(), Log([]), Log(parent=Log()), Log(parent=HEARD, propagate=False)])
def test_where_nobody_has_set_one_up_it_is_on_stderr(log: Any, stderr: io.StringIO) -> None:
    logs.warn(log, "died\ud800")
    assert (log.said, stderr.getvalue()) == ([], "died\\ud800\n")


@pytest.mark.parametrize("stderr", [None, io.StringIO()], ids=["none", "closed"])
def test_where_there_is_no_stderr_nothing_is_said(stderr: io.StringIO | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if stderr is not None:
        stderr.close()
    monkeypatch.setattr(sys, "__stderr__", stderr)
    logs.warn(Log(), "died")
