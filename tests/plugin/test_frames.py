"""Errors that went through wrappers of ours, as those of a plain run are."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pluggy
import pytest

from pytest_tfkernel.plugin import frames

HOOK = """
def pytest_runtest_call(item):
    return (yield from through())
def through():
    return (yield)
"""
RAISES = """
def pytest_runtest_call(item):
    yield
    raise ValueError("of its own")
"""


def of(name: str, source: str = HOOK) -> object:
    """A plugin, the module of which is called so, with a wrapper."""
    names: dict[str, Any] = {"__name__": name}
    exec(source, names)
    plugin = type("Plugin", (), {"pytest_runtest_call": staticmethod(names["pytest_runtest_call"])})()
    pluggy.HookimplMarker("pytest")(wrapper=True)(names["pytest_runtest_call"])
    return plugin


def raises() -> None:
    raise KeyError("plain")


def raises_of_another() -> None:
    try:
        run(raises, of("pytest_tfkernel.plugin.inner"), of("theirs"))
    except KeyError as error:
        raise RuntimeError("another") from error


def raises_a_group() -> None:
    try:
        run(raises, of("pytest_tfkernel.plugin.inner"))
    except KeyError as error:
        group = RuntimeError("several")
        # As Python 3.10 has them; and one in itself.
        group.__dict__["exceptions"] = error, group
    raise group


def run(function: Callable[[], None], *plugins: object) -> None:
    class Spec:
        @pluggy.HookspecMarker("pytest")
        def pytest_runtest_call(self, item: object) -> None: ...

    class Runs:
        @pluggy.HookimplMarker("pytest")
        def pytest_runtest_call(self) -> None:
            function()

    manager = pluggy.PluginManager("pytest")
    manager.add_hookspecs(Spec)
    for plugin in (Runs(), *plugins):
        manager.register(plugin)
    manager.hook.pytest_runtest_call(item=None)


def called(function: Callable[[], None], *names: str) -> pytest.CallInfo[None]:
    return pytest.CallInfo.from_call(lambda: run(function, *map(of, names)), "call")


def told(call: pytest.CallInfo[None]) -> list[str]:
    assert call.excinfo is not None
    errors = [call.excinfo.value, *getattr(call.excinfo.value, "exceptions", ())[:1]]
    return [line for error in errors for line in traceback.format_exception(error)]


@pytest.mark.parametrize("function", [raises, raises_of_another, raises_a_group])
def test_none_of_ours_is_there(function: Callable[[], None]) -> None:
    ours = "pytest_tfkernel.plugin.gate", "pytest_tfkernel.plugin.isolation.inside.logs"
    plain, call = called(function, "theirs"), called(function, ours[0], "theirs", *ours)
    frames.leave_out(plain)
    assert told(call) != told(plain)
    frames.leave_out(call)
    assert told(call) == told(plain)


def test_where_a_wrapper_of_ours_has_raised_is_there() -> None:
    plugins = of("pytest_tfkernel.plugin.gate", RAISES), of("pytest_tfkernel.plugin.other")
    call = pytest.CallInfo.from_call(lambda: run(lambda: None, *plugins), "call")
    frames.leave_out(call)
    # Both are called "<string>".
    assert told(call)[-2].count('"<string>"') == 1
    assert "line 4, in pytest_runtest_call" in told(call)[-2]


def test_what_has_not_failed_has_none() -> None:
    frames.leave_out(pytest.CallInfo.from_call(lambda: None, "call"))
