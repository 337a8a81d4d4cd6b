"""Which conftest.py files have a say in a test, where none but those of the start are read."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


class Hooks:
    """The hooks of all plugins but for conftest.py files of folders that a path isn't in."""

    def __init__(self, manager: pytest.PytestPluginManager, folder: Path) -> None:
        self._manager = manager
        self._without = [one for one in manager.get_plugins() if _is_elsewhere(one, folder)]

    def __getattr__(self, name: str) -> Any:
        """The caller of one, made once."""
        found = self._manager.subset_hook_caller(name, self._without)
        setattr(self, name, found)
        return found


_KEY: pytest.StashKey[dict[Path, Hooks]] = pytest.StashKey()


def hooks_of(config: pytest.Config, folder: Path) -> Hooks:
    """Those for the tests in a folder."""
    known = config.stash.setdefault(_KEY, {})
    if folder not in known:
        known[folder] = Hooks(config.pluginmanager, folder)
    return known[folder]


def _is_elsewhere(plugin: object, folder: Path) -> bool:
    # Built-in modules have none.
    file = getattr(plugin, "__file__", None) if isinstance(plugin, ModuleType) else None
    if file is None or Path(file).name != "conftest.py":
        return False
    return not folder.is_relative_to(Path(file).parent)
