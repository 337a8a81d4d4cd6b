"""Options that choose or order tests by what an earlier run has kept, where another process has collected."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_tfkernel.processes.wire import Message

# Those of pytest: all others choose where tests are collected.
_PLUGINS = ("lfplugin", "nfplugin", "stepwiseplugin")


def choose(session: pytest.Session, told: Sequence[Message]) -> None:
    """Let them choose among the items of a session, and keep what there is."""
    manager = session.config.pluginmanager
    plugins = [plugin for plugin in map(manager.get_plugin, _PLUGINS) if plugin is not None]
    skipped = told[-1].get("skipped_files", 0) if told else 0
    last_failed = manager.get_plugin("lfplugin")
    if skipped and last_failed is not None:
        # It counts where it leaves them out, and tells of it where it chooses.
        last_failed._skipped_files = skipped  # noqa: SLF001
    others = [plugin for plugin in manager.get_plugins() if plugin not in plugins]
    call = manager.subset_hook_caller("pytest_collection_modifyitems", others)
    call(session=session, config=session.config, items=session.items)


def choose_here(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Let all others choose among items that were collected here."""
    manager = session.config.pluginmanager
    plugins = [plugin for plugin in map(manager.get_plugin, _PLUGINS) if plugin is not None]
    call = manager.subset_hook_caller("pytest_collection_modifyitems", plugins)
    call(session=session, config=session.config, items=items)
