"""The gate and tests whose process has died: what that has left is told in the gate's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from pytest_tfkernel.gate.aftermath import Dead
from pytest_tfkernel.model.processes import Leftover
from pytest_tfkernel.model.resources import Kind, Resource
from pytest_tfkernel.plugin.isolation.peers import ProcessDeath

_PLUGIN = "tfkernel-gate"
_KINDS = {kind.value: kind for kind in Kind}


class Gating:
    """The gate of pytest's own process, if there is one."""

    def __init__(self, config: pytest.Config) -> None:
        found: Any = config.pluginmanager.get_plugin(_PLUGIN)
        # Where it can look at nothing, it has none.
        self._gate = found if hasattr(found, "tell_dead") else None

    @property
    def is_on(self) -> bool:
        """Whether tests are looked at."""
        return self._gate is not None

    def begin(self, item: pytest.Item) -> None:
        """A test is about to begin."""
        if self._gate is not None:
            self._gate.dead.begin(item)

    def ended(self) -> None:
        """A process has ended as it was to, and with it the gate there."""
        if self._gate is not None:
            self._gate.dead.ended()

    def tell(self, item: pytest.Item, report: pytest.TestReport, death: ProcessDeath, left: Sequence[Leftover]) -> str:
        """Put on the last report of a test what its dead process has left; words to fail it with, if it is to."""
        if self._gate is None:
            return ""
        pids = {death.post_mortem.process.pid, *(one.process.pid for one in left)}
        dead = Dead(dict(_paths(death.claims)), pids, [_resource(one) for one in left])
        words: str = self._gate.tell_dead(item, report, dead)
        return words


def _paths(text: str) -> Iterator[tuple[str, Kind]]:
    """As the process has written them down, until it died."""
    for line in text.splitlines():
        try:
            path, kind = json.loads(line)
            yield path, _KINDS[kind]
        except (ValueError, LookupError, TypeError):
            continue  # the last line may be half


def _resource(left: Leftover) -> Resource:
    kind = Kind.ZOMBIE if left.state == "Z" else Kind.PROCESS
    words = left.command or "no command line"
    return Resource(kind, str(left.process), str(left.process.start_time), detail=words)
