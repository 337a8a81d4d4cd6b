"""Coverage of isolated tests: what their processes measure, and how it becomes part of what pytest's own has measured.

Whoever measures, be it pytest-cov or `coverage run`, measures this process. Those of the tests are told to do alike,
each into a file of its own in a folder of ours, and in the end this process takes over what is in them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from coverage import Coverage

    from pytest_tfkernel.processes.wire import Message

# By these an interpreter would measure by itself when it begins, and all that is forked from it would into one file.
VARIABLES = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
# What decides which lines are measured, and how; a release of coverage that has no such option has no need of it.
_OPTIONS = (
    "run:branch",
    "run:concurrency",
    "run:context",
    "run:core",
    "run:cover_pylib",
    "run:disable_warnings",
    "run:dynamic_context",
    "run:include",
    "run:omit",
    "run:patch",
    "run:plugins",
    "run:relative_files",
    "run:sigterm",
    "run:source",
    "run:source_dirs",
    "run:source_pkgs",
    "run:timid",
)


@dataclass(frozen=True)
class Measuring:
    """What this process measures with, and the folder into which those of tests write."""

    coverage: Coverage
    folder: Path

    def for_child(self, config: pytest.Config) -> Message:
        """What a process needs to measure as this one does."""
        return {
            "folder": str(self.folder),
            "config_file": self.coverage.config.config_file or False,
            "options": dict(_options(self.coverage)),
            "environment": {name: os.environ[name] for name in VARIABLES[1:] if name in os.environ},
            "contexts": config.pluginmanager.has_plugin("_cov") and config.getoption("cov_context", None) == "test",
        }

    def take_over(self, config: pytest.Config) -> None:
        """Have this process tell what was measured in those that have ended; each is told once."""
        from coverage import CoverageData
        from coverage.exceptions import CoverageException, CoverageWarning

        unread = []
        with warnings.catch_warnings():
            # Of a worker of pytest-xdist, which runs none of them itself: that it has nothing yet.
            warnings.simplefilter("ignore", CoverageWarning)
            data = self.coverage.get_data()
        for file in sorted(self.folder.glob("*")):
            if file.name.endswith("-journal"):
                continue  # of a process that died while it wrote: with it, what is half written is undone
            try:
                with contextlib.closing(_Closing(CoverageData(str(file)))) as found:
                    data.update(found.read())
            except CoverageException as error:
                unread.append(str(error))
            with contextlib.suppress(OSError):
                file.unlink()
        if unread:
            words = f"what {len(unread)} process(es) of tests measured can't be read: {unread[0]}"
            config.issue_config_time_warning(pytest.PytestWarning(words), stacklevel=2)


class _Closing:
    """A file of data, whose connections are closed whatever happens."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def read(self) -> Any:
        """What is in it."""
        self._data.read()
        return self._data

    def close(self) -> None:
        """Close it, also for those that would keep it open."""
        self._data.close(force=True)


def begin(folder: Path) -> Measuring | None:
    """With what measures this process now, if anything does; it keeps its files below the folder."""
    module = sys.modules.get("coverage")
    coverage = module.Coverage.current() if module is not None else None
    return Measuring(coverage, Path(tempfile.mkdtemp(prefix="coverage-", dir=folder))) if coverage is not None else None


def _options(coverage: Coverage) -> Iterator[tuple[str, object]]:
    from coverage.exceptions import ConfigError

    for name in _OPTIONS:
        with contextlib.suppress(ConfigError):
            yield name, coverage.get_option(name)
