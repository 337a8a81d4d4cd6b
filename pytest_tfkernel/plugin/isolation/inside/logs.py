"""What a test logs, for the case that it dies: pytest keeps it in memory that goes with the process."""

from __future__ import annotations

import logging
import posix
from collections.abc import Generator

import pytest

from pytest_tfkernel.plugin import frames
from pytest_tfkernel.plugin.isolation.inside.server import Own
from pytest_tfkernel.processes.descriptors import Owned

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


class Logs:
    """The hooks that write it, as pytest would show it, into a file of pytest's own process."""

    def __init__(self, own: Own) -> None:
        self._own = own
        self._formatter: logging.Formatter | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Find out how pytest would show it."""
        plugin = config.pluginmanager.get_plugin("logging-plugin")
        # None where pytest was told to leave logging alone.
        self._formatter = getattr(plugin, "formatter", None)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Generator[None]:
        """The first phase."""
        return (yield from self._kept())

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Generator[None]:
        """The second one."""
        return (yield from self._kept())

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> Generator[None]:
        """The last one."""
        return (yield from self._kept())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """What a phase has raised came through these."""
        frames.leave_out(call)

    def _kept(self) -> Generator[None]:
        """Keep what is logged meanwhile."""
        log = self._own.log
        if log is None or self._formatter is None:
            return (yield)
        handler = _Handler(log, self._formatter)
        # As pytest adds its own: what doesn't propagate never comes to the root.
        loggers = [logging.root, *(one for one in _named() if not one.propagate)]
        for one in loggers:
            one.addHandler(handler)
        try:
            return (yield)
        finally:
            for one in loggers:
                one.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, file: Owned, formatter: logging.Formatter) -> None:
        super().__init__()
        self._file = file
        self.setFormatter(formatter)
        if file.is_ours():
            posix.ftruncate(file.number, 0)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one. What can't be formatted is pytest's to complain of."""
        try:
            if self._file.is_ours():
                posix.write(self._file.number, f"{self.format(record)}\n".encode("utf-8", "backslashreplace"))
        except Exception:  # noqa: BLE001 - whatever the arguments of a record raise
            return


def _named() -> list[logging.Logger]:
    found = list(logging.root.manager.loggerDict.values())
    return [one for one in found if isinstance(one, logging.Logger)]
