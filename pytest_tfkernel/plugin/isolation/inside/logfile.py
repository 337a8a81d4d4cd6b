"""The file of `--log-file` in a process of tests: pytest's own process has begun it, and what is logged is added."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class LogFile:
    """Where it is, if there is one, and what the option said of it."""

    path: str | None
    option: str | None


_KEY: pytest.StashKey[LogFile] = pytest.StashKey()


def postpone(config: pytest.Config) -> None:
    """Have nothing logged yet: pytest itself has logged that."""
    if not hasattr(config.option, "log_file"):
        return
    wanted = config.getoption("log_file") or config.getini("log_file")
    path = os.path.abspath(wanted) if wanted else None  # noqa: PTH100 - as pytest has it
    config.stash[_KEY] = LogFile(path, config.option.log_file)
    config.option.log_file = os.devnull


def resume(config: pytest.Config) -> None:
    """Log from now on, and let the option say again what a person has said."""
    found = config.stash.get(_KEY, None)
    if found is None:
        return
    config.option.log_file = found.option
    plugin = config.pluginmanager.get_plugin("logging-plugin")
    if found.path is not None and plugin is not None:
        # Its own way to another file would empty that.
        old = plugin.log_file_handler.setStream(Path(found.path).open("a", encoding="utf-8"))  # noqa: SIM115 - the handler closes it
        if old is not None:
            old.close()
