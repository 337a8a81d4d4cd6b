"""What plugins are told of processes of tests that have ended."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.isolation import codec, outputs


class Heard:
    """A plugin, as pytest-xdist would tell it."""

    def __init__(self) -> None:
        self.outputs: list[Any] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        self.outputs.append(node.workeroutput)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def config(heard: Heard) -> Any:
    manager = pytest.PytestPluginManager()
    manager.register(heard, "heard")
    return SimpleNamespace(pluginmanager=manager, hook=manager.hook)


def text(output: object) -> str:
    return json.dumps(codec.encode(output))


def test_each_is_told_in_the_order_of_their_ends(config: Any, heard: Heard) -> None:
    outputs.hand_over(config, [codec.encode({"said": ("a",)}), codec.encode({"said": ("b",)})])
    assert heard.outputs == [{"said": ("a",)}, {"said": ("b",)}]


def test_none_is_told_when_one_has_died(config: Any, heard: Heard) -> None:
    outputs.hand_over(config, None)
    outputs.tell(config, [[text({})], None])
    assert heard.outputs == []


def test_a_worker_leaves_them_for_its_controller(config: Any, heard: Heard) -> None:
    config.workerinput, config.workeroutput = {}, {}
    outputs.hand_over(config, [codec.encode({"a": 1})])
    left = workers.left(SimpleNamespace(workeroutput=config.workeroutput), outputs.OUTPUTS, list[str])  # type: ignore[arg-type]
    assert heard.outputs == []
    outputs.tell(config, [left])
    assert heard.outputs == [{"a": 1}]


def test_plugins_that_know_nodes_of_their_own_only_are_not_told(config: Any, heard: Heard) -> None:
    config.pluginmanager.unregister(heard)
    config.pluginmanager.register(heard, "_cov")
    outputs.tell(config, [[text({})]])
    assert heard.outputs == []
