"""The gate in a process of isolation: it begins anew in each that is forked, and what it knows outlives a death."""

from __future__ import annotations

import json
import posix
from typing import Any

import pytest

from pytest_tfkernel._child.frames import Message
from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.plugin.isolation import codec
from pytest_tfkernel.plugin.isolation.inside.server import Own

_PLUGIN = "tfkernel-gate"


class Journal:
    """The paths that the running test makes, in a file of pytest's own process."""

    def __init__(self, own: Own) -> None:
        self._own = own

    def note(self, path: str, kind: Kind) -> None:
        """Add one. A fork that a test makes has no part in it, as everywhere."""
        file = self._own.claims
        if file is not None and not self._own.is_fork and file.is_ours():
            line = json.dumps([path, kind.value])
            posix.write(file.number, f"{line}\n".encode("utf-8", "backslashreplace"))

    def clear(self) -> None:
        """Forget them."""
        file = self._own.claims
        if file is not None and file.is_ours():
            posix.ftruncate(file.number, 0)


class GateInside:
    """Gives the gate that journal."""

    def __init__(self, own: Own) -> None:
        self._own = own

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Before it begins."""
        gate = _gate(config)
        if gate is not None:
            gate.journal = Journal(self._own)


def put_off(config: pytest.Config) -> Message | None:
    """Have the gate begin with the next test, in whoever is forked; what it has to tell so far is for pytest."""
    gate = _gate(config)
    if gate is None:
        return None
    output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]
    before = dict(output)
    gate.put_off()
    left = {name: text for name, text in output.items() if name not in before}
    for name in left:
        del output[name]
    encoded: Message = codec.encode(left)
    return encoded


def _gate(config: pytest.Config) -> Any:
    found: Any = config.pluginmanager.get_plugin(_PLUGIN)
    return found if hasattr(found, "put_off") else None
