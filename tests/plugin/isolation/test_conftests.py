"""A conftest.py has a say in its own folder and those below it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from pytest_tfkernel.plugin.isolation import conftests


class Manager:
    def __init__(self, *plugins: object) -> None:
        self._plugins = plugins
        self.asked: list[str] = []

    def get_plugins(self) -> tuple[object, ...]:
        return self._plugins

    def subset_hook_caller(self, name: str, without: list[object]) -> list[object]:
        self.asked.append(name)
        return without


def module(path: str) -> ModuleType:
    made = ModuleType("conftest")
    made.__file__ = path
    return made


def test_those_of_other_folders_are_left_out() -> None:
    here, above, beside = module("/a/b/conftest.py"), module("/a/conftest.py"), module("/a/c/conftest.py")
    manager = Manager(object(), module("/a/c/plugin.py"), ModuleType("builtin"), here, above, beside)
    config: Any = SimpleNamespace(pluginmanager=manager, stash=pytest.Stash())
    hooks = conftests.hooks_of(config, Path("/a/b/d"))
    assert hooks.pytest_x is hooks.pytest_x
    assert cast("object", hooks.pytest_x) == [beside]
    assert manager.asked == ["pytest_x"]
    assert conftests.hooks_of(config, Path("/a/b/d")) is hooks
    assert conftests.hooks_of(config, Path("/z")).pytest_x == [here, above, beside]
