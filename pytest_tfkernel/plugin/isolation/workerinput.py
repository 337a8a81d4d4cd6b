"""What a process of isolation is told as a worker of pytest-xdist is: plugins look there whether they are in one."""

from __future__ import annotations

import sys
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.plugin import workers

# As `worker_id` is where there are no workers.
_NAME = "master"
# pytest-cov measures workers by itself, and ours are measured otherwise; of ourselves we know.
_NOT_ASKED = ("_cov", "tfkernel")


def of(config: pytest.Config) -> dict[str, Any]:
    """That of this session, if it is a worker's; else as pytest-xdist makes it, with what plugins add."""
    if workers.is_worker(config):
        found: dict[str, Any] = config.workerinput  # type: ignore[attr-defined]
        return found
    node = SimpleNamespace(
        config=config,
        gateway=SimpleNamespace(id=_NAME, spec=SimpleNamespace(popen=True, id=_NAME)),
        workerinput={
            "workerid": _NAME,
            "workercount": 1,
            "testrunuid": uuid.uuid4().hex,
            "mainargv": sys.argv,
        },
    )
    manager = config.pluginmanager
    if hasattr(config.hook, "pytest_configure_node"):
        left_out = [manager.get_plugin(name) for name in _NOT_ASKED]
        manager.subset_hook_caller("pytest_configure_node", [one for one in left_out if one])(node=node)
    made: dict[str, Any] = node.workerinput
    if hasattr(config.option, "randomly_seed"):
        # It asks only where pytest-xdist is installed.
        made.setdefault("randomly_seed", config.option.randomly_seed)
    return made
