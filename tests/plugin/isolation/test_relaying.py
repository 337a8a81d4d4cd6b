"""What a process tells beside reports is done here as pytest would have done it."""

from __future__ import annotations

import traceback
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import relaying

KEY: pytest.StashKey[object] = pytest.StashKey()


class Notes:
    """Takes any call, and notes it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*args: object, **_: object) -> Notes:
            self.calls.append((name, args))
            return self

        return call


def config(**plugins: object) -> Any:
    return SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=plugins.get), stash=pytest.Stash())


def test_what_is_written_is_on_the_terminal() -> None:
    reporter = Notes()
    found = config(terminalreporter=reporter)
    relaying.pass_on(found, {"kind": "written", "text": "a\n"})
    relaying.pass_on(found, {"kind": "written", "text": None})
    relaying.flush(found)
    assert reporter.calls == [("write", ("a\n",)), ("ensure_newline", ()), ("flush", ())]


def test_without_a_terminal_or_a_report_nothing_is_done(request: pytest.FixtureRequest) -> None:
    for told in (
        {"kind": "written", "text": "a"},
        {"kind": "attribute", "name": "a", "value": "b"},
        {"kind": "property", "name": "a", "value": "b"},
        {"kind": "something else"},
    ):
        relaying.pass_on(config(), told, request.node)
        relaying.pass_on(config(junitxml=SimpleNamespace(xml_key=KEY)), told, request.node)
    relaying.flush(config())


def test_what_is_recorded_is_in_the_report(request: pytest.FixtureRequest) -> None:
    found, xml = config(junitxml=SimpleNamespace(xml_key=KEY)), Notes()
    found.stash[KEY] = xml
    relaying.pass_on(found, {"kind": "property", "name": "a", "value": "b"}, request.node)
    relaying.pass_on(found, {"kind": "attribute", "name": "c", "value": "d"}, request.node)
    relaying.pass_on(found, {"kind": "attribute", "name": "c", "value": "d"})
    names = [(name, args[-2:]) for name, args in xml.calls]
    node = request.node
    assert names == [
        ("add_global_property", ("a", "b")),
        ("node_reporter", (getattr(node, "id", node.nodeid),)),
        ("add_attribute", ("c", "d")),
    ]


@pytest.mark.parametrize("told", [{"place": ["/a/test_b.py", 7]}, {"place": None}, {}])
def test_an_interrupt_is_raised_where_the_test_has_raised_it(told: dict[str, Any]) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        relaying.interrupt(told)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    if told.get("place"):
        assert (last.filename, last.lineno) == ("/a/test_b.py", 7)
