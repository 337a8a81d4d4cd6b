"""Options of processes of tests that other plugins need."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import neighbours


def config(**options: object) -> Any:
    manager = pytest.PytestPluginManager()
    if "benchmark_disable" in options:
        manager.register(object(), "benchmark")
    return SimpleNamespace(option=SimpleNamespace(**options), pluginmanager=manager)


def test_where_there_is_no_other_plugin_there_is_nothing_to_say() -> None:
    assert neighbours.options_of(config()) == {}
    assert neighbours.header(config()) == []


@pytest.mark.parametrize(
    ("skip", "disable", "enable", "says"),
    [
        (False, False, False, True),
        (False, True, False, False),
        (False, True, True, True),
        (True, False, False, False),
    ],
)
def test_benchmarks_are_off_and_it_is_said_where_they_would_be_on(
    skip: bool, disable: bool, enable: bool, says: bool
) -> None:
    asked = config(benchmark_skip=skip, benchmark_disable=disable, benchmark_enable=enable)
    assert neighbours.options_of(asked) == {"benchmark_disable": True, "benchmark_enable": False}
    assert bool(neighbours.header(asked)) is says


def test_a_worker_of_loadgroup_says_so() -> None:
    assert neighbours.options_of(config(loadgroup=True)) == {"loadgroup": True}
    assert neighbours.options_of(config(loadgroup=False)) == {}
