"""Plugins that choose by what an earlier run has kept are asked here, and no others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pytest_tfkernel.plugin.isolation import selection


class Manager:
    def __init__(self, **plugins: object) -> None:
        self._plugins = plugins
        self.without: list[object] = []

    def get_plugin(self, name: str) -> object:
        return self._plugins.get(name)

    def get_plugins(self) -> list[object]:
        return list(self._plugins.values())

    def subset_hook_caller(self, name: str, without: list[object]) -> Any:
        assert name == "pytest_collection_modifyitems"
        self.without = without
        return lambda session, config, items: items.reverse()


def test_they_choose_among_all_items() -> None:
    last_failed = SimpleNamespace(_skipped_files=0)
    manager = Manager(lfplugin=last_failed, other="other", stepwiseplugin=SimpleNamespace())
    session: Any = SimpleNamespace(config=SimpleNamespace(pluginmanager=manager), items=[1, 2])
    selection.choose(session, [{"kind": "deselected"}, {"kind": "collected", "skipped_files": 3}])
    assert session.items == [2, 1]
    assert manager.without == ["other"]
    assert last_failed._skipped_files == 3


def test_without_the_cache_there_is_nobody_to_tell() -> None:
    manager = Manager(other="other")
    session: Any = SimpleNamespace(config=SimpleNamespace(pluginmanager=manager), items=[])
    selection.choose(session, [{"kind": "collected", "skipped_files": 3}])
    selection.choose(session, [])
    assert manager.without == ["other"]
