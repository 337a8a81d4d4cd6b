"""What tests add to JUnit is told, under the conditions that pytest makes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation.inside import records

KEY: pytest.StashKey[records.Records] = pytest.StashKey()


def config(plugin: object) -> Any:
    registered: list[object] = []
    manager = SimpleNamespace(get_plugin=lambda _: plugin, register=registered.append, registered=registered)
    return SimpleNamespace(pluginmanager=manager, stash=pytest.Stash())


def test_it_stands_where_fixtures_look_for_it() -> None:
    told: list[dict[str, Any]] = []
    found = config(SimpleNamespace(xml_key=KEY))
    records.stand_in(found, "xunit1", told.append)
    stand_in = found.stash[KEY]
    # pytest unregisters it.
    assert found.pluginmanager.registered == [stand_in]
    assert stand_in.family == "xunit1"
    stand_in.node_reporter("test_a.py::test_b").add_attribute("a", 1)
    stand_in.add_global_property("b", ("c", 2))
    assert told == [
        {"kind": "attribute", "name": "a", "value": "1"},
        {"kind": "property", "name": "b", "value": "('c', 2)"},
    ]
    with pytest.raises(TypeError, match="name parameter needs to be a string, but int given"):
        stand_in.add_global_property(1, 2)


@pytest.mark.parametrize(("plugin", "family"), [(None, "xunit1"), (SimpleNamespace(xml_key=KEY), None)])
def test_without_a_report_there_is_none(plugin: object, family: str | None) -> None:
    found = config(plugin)
    records.stand_in(found, family, print)
    assert KEY not in found.stash
