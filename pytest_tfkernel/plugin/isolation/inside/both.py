"""Hooks that are called in pytest's own process too: what they print, they print there."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pluggy
import pytest

from pytest_tfkernel.plugin.isolation.inside.screen import Screen

_around = pytest.hookimpl(wrapper=True, tryfirst=True)
# Those of pytest and of ourselves print nothing there.
_SILENT = ("_pytest.", "pytest_tfkernel.")
_BETWEEN = ("pytest_runtest_protocol", "pytest_exception_interact")


class Afterwards:
    """Shows the screen again."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    @pytest.hookimpl(trylast=True)
    def pytest_warning_recorded(self) -> None:
        """When all others have been called."""
        self._screen.show()


class Both:
    """Keeps the screen hidden while they are called here."""

    def __init__(self, screen: Screen, hook: pluggy.HookRelay) -> None:
        self._screen = screen
        self._hook = hook
        # How many there were when it was looked who they are.
        self._known: dict[str, tuple[int, bool]] = {}

    def speak_between(self) -> bool:
        """Whether somebody else is called between two phases, where what is printed isn't captured."""
        return any(map(self._is_anybodys, _BETWEEN))

    def _hidden(self, name: str) -> Generator[None, Any, Any]:
        if not self._is_anybodys(name):
            return (yield)
        with self._screen.hidden():
            return (yield)

    def _is_anybodys(self, name: str) -> bool:
        found = getattr(self._hook, name).get_hookimpls()
        count, is_anybodys = self._known.get(name, (0, False))
        if count != len(found):
            is_anybodys = not all(_home(one.plugin).startswith(_SILENT) for one in found)
            self._known[name] = len(found), is_anybodys
        return is_anybodys

    @_around
    def pytest_collectreport(self) -> Generator[None, Any, Any]:
        """Hide it."""
        return (yield from self._hidden("pytest_collectreport"))

    @_around
    def pytest_deselected(self) -> Generator[None, Any, Any]:
        """Hide it."""
        return (yield from self._hidden("pytest_deselected"))

    @_around
    def pytest_collection_finish(self) -> Generator[None, Any, Any]:
        """Hide it."""
        return (yield from self._hidden("pytest_collection_finish"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self) -> None:
        """Hide it; pytest allows no wrapper of this one."""
        self._screen.hide()

    @_around
    def pytest_runtest_logstart(self) -> Generator[None, Any, Any]:
        """Hide it."""
        return (yield from self._hidden("pytest_runtest_logstart"))

    @_around
    def pytest_runtest_logreport(self) -> Generator[None, Any, Any]:
        """Hide it."""
        return (yield from self._hidden("pytest_runtest_logreport"))

    @_around
    def pytest_runtest_logfinish(self) -> Generator[None, Any, Any]:
        """Hide it."""
        return (yield from self._hidden("pytest_runtest_logfinish"))


def _home(plugin: object) -> str:
    """The module of a plugin, whether it is one or an object of one."""
    name = getattr(plugin, "__name__", None)
    return name if isinstance(name, str) else type(plugin).__module__
