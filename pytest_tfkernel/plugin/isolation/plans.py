"""What each process of a session is told, and what it is to have imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from types import ModuleType

import pytest

from pytest_tfkernel.processes.wire import Message


@dataclass(frozen=True)
class SessionPlan:
    """What each process of a session is told.

    `junit` is the family of the report that pytest writes, `preload` the modules to import after conftest.py. It
    `sifts` files that make forks unsafe from the others, for which all are collected once more.
    """

    folder: str
    args: tuple[str, ...]
    paths: tuple[str, ...]
    plugins: tuple[str, ...]
    options: Message
    junit: str | None
    workerinput: Message
    basetemp: str | None
    preload: Callable[[], Sequence[str]]
    sifts: bool = True
    measuring: Message | None = None

    def for_child(self) -> Message:
        """As the process reads it."""
        return {
            "kind": "configure",
            "folder": self.folder,
            "args": list(self.args),
            "paths": list(self.paths),
            "options": self.options,
            "junit": self.junit,
            "workerinput": self.workerinput,
            "basetemp": self.basetemp,
            "measuring": self.measuring,
        }


def modules_of(config: pytest.Config) -> tuple[str, ...]:
    """The modules of the session's plugins, but for conftest.py files and those whose assertions pytest rewrites.

    Such a one has to be imported by a session: it is read where a session begins.
    """
    found = (plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, ModuleType))
    plain = (one for one in found if isinstance(one.__loader__, SourceFileLoader))
    return tuple(sorted(one.__name__ for one in plain if not (one.__file__ or "").endswith("conftest.py")))
