"""Nothing is chosen where tests are collected, but for what isn't collected at all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation.inside import selection


class Manager:
    def __init__(self, *names: str) -> None:
        self.plugins: dict[str, Any] = {name: SimpleNamespace(_skipped_files=2) for name in names}

    def get_plugin(self, name: str) -> object:
        return self.plugins.get(name)

    def unregister(self, plugin: object) -> None:
        self.plugins = {name: one for name, one in self.plugins.items() if one is not plugin}

    def register(self, plugin: object, name: str) -> None:
        self.plugins[name] = plugin

    def is_registered(self, plugin: object) -> bool:
        return any(one is plugin for one in self.plugins.values())


def config(*names: str) -> Any:
    return SimpleNamespace(pluginmanager=Manager(*names), stash=pytest.Stash(), option=SimpleNamespace(lf=True))


def test_pytest_chooses_and_a_failure_stops_here_too() -> None:
    found = config("lfplugin", "nfplugin", "stepwiseplugin")
    selection.leave_to_pytest(found)
    assert set(found.pluginmanager.plugins) == {"lfplugin"}
    assert selection.skipped_files(found) == 2
    for _ in range(2):
        selection.resume(found)
        assert set(found.pluginmanager.plugins) == {"lfplugin", "stepwiseplugin"}


def test_without_the_cache_nothing_is_to_be_done() -> None:
    found = config()
    selection.leave_to_pytest(found)
    selection.resume(found)
    assert found.pluginmanager.plugins == {}
    assert selection.skipped_files(found) == 0


def test_a_file_is_collected_as_a_whole() -> None:
    found = config("lfplugin", "lfplugin-collwrapper", "other")
    selection.forget(found)
    assert set(found.pluginmanager.plugins) == {"other"}
    assert vars(found.option) == {"lf": False}
