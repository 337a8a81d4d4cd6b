"""A process of isolation is a worker, to plugins that ask."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.isolation import workerinput


def config(hooked: list[object], **more: object) -> Any:
    def call(name: str, without: list[object]) -> Any:
        assert name == "pytest_configure_node"
        hooked.extend(without)
        return lambda node: node.workerinput.update(added=node.gateway.id)

    manager = SimpleNamespace(get_plugin={"_cov": "coverage"}.get, subset_hook_caller=call)
    hook = SimpleNamespace(pytest_configure_node=None)
    return SimpleNamespace(pluginmanager=manager, hook=hook, option=SimpleNamespace(), **more)


def test_it_is_told_what_plugins_tell_workers() -> None:
    left_out: list[object] = []
    found = workerinput.of(config(left_out))
    assert left_out == ["coverage"]
    assert found["workerid"] == found["added"] == "master"
    assert found["mainargv"] == sys.argv
    assert "randomly_seed" not in found


def test_the_seed_is_that_of_pytest() -> None:
    made = config([])
    made.option.randomly_seed = 7
    del made.hook.pytest_configure_node
    assert workerinput.of(made)["randomly_seed"] == 7


def test_in_a_worker_it_is_that_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "is_worker", lambda _: True)
    own = {"workerid": "gw3"}
    assert workerinput.of(config([], workerinput=own)) is own
