"""Of a test that another process runs, no plugin hears in this one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pluggy
import pytest

from pytest_tfkernel.plugin.isolation import beside, protocol


class Plugin:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    @pytest.hookimpl
    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> str:
        self.heard.append((item.name, nextitem))
        return "pytest"


def test_others_are_run_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "is_isolated", lambda item: item.name != "plain")
    manager, first, second = pluggy.PluginManager("pytest"), Plugin(), Plugin()
    ran: list[Any] = []
    ends: list[Any] = []
    manager.register(first)
    config: Any = SimpleNamespace(hook=manager.hook, add_cleanup=ends.append)
    caller = manager.hook.pytest_runtest_protocol

    def run(item: Any, nextitem: Any) -> bool | None:
        ran.append((item.name, nextitem))
        return None if item.name == "here" else True

    protocol.take_over(config, run)
    # As the conftest.py of a folder that is collected later.
    manager.register(second)
    for name, told in (("plain", ["pytest"] * 2), ("isolated", True), ("here", ["pytest"] * 2)):
        assert manager.hook.pytest_runtest_protocol(item=SimpleNamespace(name=name), nextitem=3) == told
    assert ran == [("isolated", 3), ("here", 3)]
    assert first.heard == second.heard == [("plain", 3), ("here", 3)]
    manager.unregister(second)
    ends.pop()()
    assert manager.hook.pytest_runtest_protocol is caller
