"""The interpreters of a session: one, or several side by side, each with a label of its own."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import pytest

from pytest_tfkernel.machine.capabilities import JUPYTER, hosts
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.asked import options_of
from pytest_tfkernel.plugin.launching import launcher_of

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

_FOUND = pytest.StashKey[dict[str, Interpreter]]()


def interpreters_of(config: pytest.Config) -> dict[str, Interpreter]:
    """By label, in the order of the command line. Raises SpecError."""
    found = config.stash.get(_FOUND, None)
    told = workers.told(config, workers.INTERPRETERS, dict[str, Interpreter])
    if found is None and told is not None:
        found = config.stash[_FOUND] = told
    if found is None:
        launcher = launcher_of(config)
        found = config.stash[_FOUND] = _label([launcher.interpreter(one) for one in options_of(config).pythons])
    return found


def tell(node: WorkerController) -> None:
    """Tell a worker on this machine what its controller has found out, if it has."""
    found = node.config.stash.get(_FOUND, None)
    if found is not None:
        workers.tell(node, workers.INTERPRETERS, found)


def missing_hosts(config: pytest.Config, interpreter: Interpreter) -> tuple[str, ...]:
    """The kernels of others that can't be had with an interpreter; a kernelspec names its own."""
    named = options_of(config).kernelspec is not None
    found = hosts(interpreter)
    return tuple(name for name, one in found.items() if not one.available and not (named and name == JUPYTER))


def _label(found: list[Interpreter]) -> dict[str, Interpreter]:
    counts: collections.Counter[str] = collections.Counter()
    labelled = {}
    for one in found:
        counts[one.label] += 1
        number = counts[one.label]
        labelled[one.label if number == 1 else f"{one.label}-{number}"] = one
    return labelled
