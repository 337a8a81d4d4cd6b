"""Tests with the mark `soak` are repetitions: they run where they are asked for, by `-m` or by their ids."""

from __future__ import annotations

import pytest

_KEY = "soak"


class Soak:
    """Deselects them, and says how many there were, also over workers."""

    def __init__(self, *, worker: bool) -> None:
        self._worker = worker
        self._count = 0

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if _KEY in config.option.markexpr or any("::" in one for one in config.args):
            return
        soaking = [item for item in items if item.get_closest_marker(_KEY)]
        self._count = len(soaking)
        if soaking:
            items[:] = [item for item in items if not item.get_closest_marker(_KEY)]
            config.hook.pytest_deselected(items=soaking)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._worker:
            session.config.workeroutput[_KEY] = self._count  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        # Each worker has collected the same. One that died has said nothing.
        self._count = max(self._count, getattr(node, "workeroutput", {}).get(_KEY, 0))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._count:
            terminalreporter.line(f"{self._count} repetitions were not run: pytest -m {_KEY}, or tox -e {_KEY}")


def pytest_configure(config: pytest.Config) -> None:
    """Each session counts for itself."""
    config.pluginmanager.register(Soak(worker=hasattr(config, "workerinput")))
