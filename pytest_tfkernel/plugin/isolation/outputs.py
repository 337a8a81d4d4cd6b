"""What plugins have left in the processes of tests: those in pytest's own are told, as pytest-xdist tells them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import pytest

from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.isolation import codec
from pytest_tfkernel.processes.wire import Message

OUTPUTS = "outputs"
_HOOK = "pytest_testnodedown"
# pytest-cov measures workers by itself, and ours are measured otherwise; the others know of nodes of their own only.
_NOT_TOLD = ("_cov",)
_NOT_TOLD_OF = ("xdist", "pytest_tfkernel")


def hand_over(config: pytest.Config, found: Sequence[Message] | None) -> None:
    """Tell plugins, or leave it for those in the controller of pytest-xdist; None where a process has left nothing."""
    texts = [json.dumps(one) for one in found] if found is not None else None
    if not workers.is_worker(config):
        tell(config, [texts])
    elif texts is not None:
        workers.leave(config, OUTPUTS, texts)


def tell(config: pytest.Config, left: Sequence[list[str] | None]) -> None:
    """Have plugins hear of each as of a worker of pytest-xdist that has ended.

    Where one is missing, of none: who sums up what tests have used would take all else for unused.
    """
    if not hasattr(config.hook, _HOOK) or None in left:
        return
    hook = config.pluginmanager.subset_hook_caller(_HOOK, list(_not_told(config)))
    for text in itertools.chain.from_iterable(filter(None, left)):
        node = SimpleNamespace(
            config=config,
            gateway=SimpleNamespace(id="master"),
            workerinput={},
            workeroutput=codec.decode(json.loads(text)),
        )
        hook(node=node, error=None)


def _not_told(config: pytest.Config) -> Iterator[object]:
    manager = config.pluginmanager
    for name, plugin in manager.list_name_plugin():
        module = getattr(plugin, "__name__", None) or type(plugin).__module__
        if plugin is not None and (name in _NOT_TOLD or str(module).partition(".")[0] in _NOT_TOLD_OF):
            yield plugin
