"""Coverage in a process of isolation: it measures as pytest's own does, into a file of its own.

What is forked goes on in another file. A process is saved before it is forked, after each of its tests, and at its end:
so one that dies loses the lines of one test at most.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from pytest_tfkernel._child.frames import Message

# coverage would follow a fork of ours into a second file, and write at the `os._exit` of the first of two forks.
_IN_TESTS_ONLY = frozenset(["fork", "_exit", "execv"])
# Those of pytest's own process say it once, and most processes run few of the lines.
_SAID_ELSEWHERE = ["no-data-collected", "module-not-imported", "module-not-measured", "already-imported"]


class ProcessMeasuring:
    """Measures this process, and each that is forked from it. `cov` and `started` are what pytest-cov calls so."""

    def __init__(self, told: Message) -> None:
        self._told = told
        os.environ.update(told["environment"])
        self._patches = list(told["options"].get("run:patch", ()))
        self._begin([name for name in self._patches if name not in _IN_TESTS_ONLY])

    def _begin(self, patches: list[str]) -> None:
        from coverage import Coverage

        told = self._told
        file = os.path.join(told["folder"], "data")  # noqa: PTH118 - pathlib may be a fake
        self.cov = Coverage(data_file=file, data_suffix=True, config_file=told["config_file"])
        for name, value in told["options"].items():
            self.cov.set_option(name, value)
        silent = [*told["options"].get("run:disable_warnings", ()), *_SAID_ELSEWHERE]
        self.cov.set_option("run:disable_warnings", silent)
        if self._patches:
            self.cov.set_option("run:patch", patches)
        self._has_all_patches = len(patches) == len(self._patches)
        self.cov.start()
        self.started = True

    def save(self) -> None:
        """Write what was measured since the last time; no descriptor stays open."""
        data = self.cov.get_data()
        data.write()
        data.close(force=True)

    def forked(self) -> None:
        """Go on in a file of its own: whoever was forked has told what was before."""
        self.cov.stop()
        self._begin([name for name in self._patches if name not in _IN_TESTS_ONLY])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> Generator[None, Any, Any]:
        """Keep pytest-cov from measuring a second time; what it does to measuring it does to ours."""
        namespace = early_config.known_args_namespace
        if not hasattr(namespace, "no_cov"):
            return (yield)
        namespace.no_cov = True
        result = yield
        namespace.no_cov_should_warn = False
        plugin = early_config.pluginmanager.get_plugin("_cov")
        if plugin is not None:
            plugin.cov_controller = self
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Be asked for contexts in the turn of pytest-cov."""
        if self._told["contexts"]:
            session.config.pluginmanager.register(Contexts(self))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Keep what a test has run, whatever the next one does; nobody forks this process from now on."""
        if not self._has_all_patches:
            self.save()
            self.cov.stop()
            self._begin(self._patches)
        try:
            return (yield)
        finally:
            try:
                self.save()
            except Exception as error:  # noqa: BLE001 - a test can remove any file, and that isn't its outcome
                words = f"what {item.nodeid} ran was not measured: {type(error).__name__}: {error}"
                item.config.issue_config_time_warning(pytest.PytestWarning(words), stacklevel=2)

    def pause(self) -> None:
        """Measure nothing for a while, as pytest-cov asks for it."""
        self.started = False
        self.cov.stop()

    def resume(self) -> None:
        """Go on."""
        self.cov.start()
        self.started = True


class Contexts:
    """Tells coverage which phase of which test runs, in the words of pytest-cov."""

    def __init__(self, measuring: ProcessMeasuring) -> None:
        self._measuring = measuring

    @pytest.hookimpl
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Say so."""
        self._switch(item, "setup")

    @pytest.hookimpl
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Say so."""
        self._switch(item, "run")

    @pytest.hookimpl
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Say so."""
        self._switch(item, "teardown")

    def _switch(self, item: pytest.Item, phase: str) -> None:
        if self._measuring.started:
            self._measuring.cov.switch_context(f"{item.nodeid}|{phase}")
