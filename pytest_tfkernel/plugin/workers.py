"""What crosses pytest-xdist, from the controller to its workers and back: texts under names of ours, in one codec."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

_PREFIX = "tfkernel_"
# What a worker is told, what goes with a report, and what a worker leaves.
CONTROLLER, INTERPRETERS = "controller", "interpreters"
RECORD, TRIAL, FINDINGS, PROCESS = "record", "trial", "findings", "process"
TALLY, ISOLATED = "tally", "isolated"
T = TypeVar("T")


def is_worker(config: pytest.Config) -> bool:
    """Whether a session is a worker's."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether a session is a controller's, which runs no test itself."""
    return config.pluginmanager.hasplugin("dsession")


def name(config: pytest.Config) -> str:
    """What pytest-xdist calls a worker; empty for any other session."""
    return str(getattr(config, "workerinput", {}).get("workerid", ""))


def count(config: pytest.Config) -> int:
    """How many workers there are; 1 for a session that has none."""
    return int(getattr(config, "workerinput", {}).get("workercount", 1))


def tell(node: WorkerController, what: str, value: object) -> None:
    """Tell a worker something, before it begins."""
    node.workerinput[_PREFIX + what] = _encode(value)


def told(config: pytest.Config, what: str, kind: type[T]) -> T | None:
    """What a worker was told by its controller."""
    return _decode(getattr(config, "workerinput", {}).get(_PREFIX + what), kind)


def leave(config: pytest.Config, what: str, value: object) -> None:
    """Leave something for the controller, at the end of a worker; any other session has nobody to leave it for."""
    if is_worker(config):
        config.workeroutput[_PREFIX + what] = _encode(value)  # type: ignore[attr-defined]


def has_left(node: WorkerController, what: str) -> bool:
    """Whether a worker has left something of that name."""
    return _PREFIX + what in getattr(node, "workeroutput", {})


def left(node: WorkerController, what: str, kind: type[T]) -> T | None:
    """What a worker has left; a crashed one left nothing."""
    return _decode(getattr(node, "workeroutput", {}).get(_PREFIX + what), kind)


def attach(report: pytest.TestReport, what: str, value: object) -> None:
    """Put something on a report, which takes it along to the controller."""
    setattr(report, _PREFIX + what, _encode(value))


def attached(report: object, what: str, kind: type[T]) -> T | None:
    """What is on a report."""
    return _decode(getattr(report, _PREFIX + what, None), kind)


def _encode(value: object) -> str:
    # As text: of numbers execnet carries small ones only, and no text with surrogates.
    return json.dumps(msgspec.to_builtins(value, str_keys=True))


def _decode(text: Any, kind: type[T]) -> T | None:
    return None if text is None else msgspec.convert(json.loads(text), kind)
