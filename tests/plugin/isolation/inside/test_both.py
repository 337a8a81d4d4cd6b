"""What somebody prints in a hook that pytest calls as well is printed there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pluggy
import pytest

from pytest_tfkernel.plugin.isolation.inside.both import Afterwards, Both

ARGUMENTS = {
    "pytest_collectreport": ("report",),
    "pytest_deselected": ("items",),
    "pytest_collection_finish": ("session",),
    "pytest_runtest_logstart": ("nodeid", "location"),
    "pytest_runtest_logreport": ("report",),
    "pytest_runtest_logfinish": ("nodeid", "location"),
    "pytest_warning_recorded": ("warning_message", "when", "nodeid", "location"),
}


class Screen:
    def __init__(self) -> None:
        self.is_hidden = False
        self.was: list[bool] = []

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        self.hide()
        yield
        self.show()

    def hide(self) -> None:
        self.is_hidden = True

    def show(self) -> None:
        self.is_hidden = False


class Specification:
    @pytest.hookspec(historic=True)
    def pytest_warning_recorded(self, warning_message: object, when: object, nodeid: object, location: object) -> None:
        """As pytest has it, which allows no wrappers of it."""


def manager(screen: Any) -> pluggy.PluginManager:
    made = pluggy.PluginManager("pytest")
    made.add_hookspecs(Specification)
    made.register(Both(screen, made.hook))
    made.register(Afterwards(screen))
    return made


def look(screen: Screen, name: str, module: str) -> object:
    """A plugin of this module that looks whether the screen is hidden."""

    def impl(self: object) -> None:
        screen.was.append(screen.is_hidden)

    return type("Plugin", (), {name: pytest.hookimpl(impl), "__module__": module})()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_it_is_hidden_where_somebody_may_print(name: str) -> None:
    screen = Screen()
    plugins = manager(screen)
    plugins.register(look(screen, name, "conftest"))
    caller = getattr(plugins.hook, name)
    arguments = dict.fromkeys(ARGUMENTS[name])
    if name == "pytest_warning_recorded":
        caller.call_historic(kwargs=arguments)
    else:
        caller(**arguments)
    assert screen.was == [True]
    assert not screen.is_hidden


def test_for_plugins_of_pytest_alone_it_stays() -> None:
    screen = Screen()
    plugins = manager(screen)
    plugins.register(look(screen, "pytest_runtest_logreport", "_pytest.main"))
    plugins.hook.pytest_runtest_logreport(report=None)
    # A folder's conftest.py may come later.
    plugins.register(look(screen, "pytest_runtest_logreport", "conftest"))
    plugins.hook.pytest_runtest_logreport(report=None)
    assert screen.was == [False, True, True]
