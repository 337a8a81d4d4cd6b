"""Options that choose or order tests by what an earlier run has kept: it is pytest's own process that does."""

from __future__ import annotations

import pytest

_OPTIONS = {"lf": False, "failedfirst": False, "newfirst": False, "stepwise": False, "stepwise_skip": False}

_STEPWISE_NAME = "stepwiseplugin"
_STEPWISE: pytest.StashKey[object | None] = pytest.StashKey()


def leave_to_pytest(config: pytest.Config) -> None:
    """Choose nothing here; files in which nothing has failed, `--lf` doesn't even collect."""
    _unregister(config, "nfplugin")
    config.stash[_STEPWISE] = _unregister(config, _STEPWISE_NAME)


def resume(config: pytest.Config) -> None:
    """Let a failure stop the session, for those whose tests are chosen: what is torn down depends on it."""
    plugin = config.stash.get(_STEPWISE, None)
    if plugin is not None and not config.pluginmanager.is_registered(plugin):
        config.pluginmanager.register(plugin, _STEPWISE_NAME)


def forget(config: pytest.Config) -> None:
    """Let nothing but names and marks choose among the tests of a file."""
    for name, value in _OPTIONS.items():
        if hasattr(config.option, name):
            setattr(config.option, name, value)
    _unregister(config, "lfplugin")
    _unregister(config, "lfplugin-collwrapper")


def skipped_files(config: pytest.Config) -> int:
    """How many files `--lf` has left out."""
    return int(getattr(config.pluginmanager.get_plugin("lfplugin"), "_skipped_files", 0))


def _unregister(config: pytest.Config, name: str) -> object | None:
    plugin: object | None = config.pluginmanager.get_plugin(name)
    if plugin is not None:
        config.pluginmanager.unregister(plugin)
    return plugin
