"""Ids with the groups of pytest-xdist."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation.inside.groups import Groups


def item(*marks: Any) -> Any:
    return SimpleNamespace(nodeid="test_it.py::test", _nodeid=None, iter_markers=lambda name: iter(marks))


@pytest.mark.parametrize(
    ("marks", "wanted"),
    [
        ([], None),
        ([pytest.mark.xdist_group("a").mark], "test_it.py::test@a"),
        ([pytest.mark.xdist_group(name="a").mark], "test_it.py::test@a"),
        ([pytest.mark.xdist_group("b").mark, pytest.mark.xdist_group("a").mark], "test_it.py::test@a_b"),
        ([pytest.mark.xdist_group().mark], "test_it.py::test@default"),
    ],
)
def test_an_id_ends_as_in_a_worker(marks: list[Any], wanted: str | None) -> None:
    manager = pytest.PytestPluginManager()
    config: Any = SimpleNamespace(option=SimpleNamespace(), pluginmanager=manager)
    begin = Groups().pytest_cmdline_main(config)
    next(begin)
    assert config.option.loadgroup is True
    one = item(*marks)
    manager.hook.pytest_collection_modifyitems(session=None, config=config, items=[one])
    assert one._nodeid == wanted
