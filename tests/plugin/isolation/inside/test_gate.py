"""What the gate has in a process that may die."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.plugin.isolation.inside.gate import GateInside, Journal, put_off
from pytest_tfkernel.processes.descriptors import Owned


@pytest.fixture
def own() -> Iterator[Any]:
    descriptor = os.memfd_create("claims")
    os.set_inheritable(descriptor, False)
    file = Owned.take(descriptor)
    yield SimpleNamespace(claims=file, is_fork=False)
    file.close()


def written(own: Any) -> list[Any]:
    return [json.loads(line) for line in os.pread(own.claims.number, 10000, 0).splitlines()]


def test_paths_are_kept_until_they_are_told(own: Any) -> None:
    journal = Journal(own)
    journal.note("/tmp/one", Kind.FILE)
    journal.note("/dev/shm/\udcff\n", Kind.SHARED_MEMORY)
    assert written(own) == [["/tmp/one", "temporary-file"], ["/dev/shm/\udcff\n", "shared-memory"]]
    journal.clear()
    assert written(own) == []


def test_forks_of_tests_and_processes_without_it_write_nothing(own: Any) -> None:
    own.is_fork = True
    Journal(own).note("/tmp/one", Kind.FILE)
    assert written(own) == []
    own.claims = None
    Journal(own).note("/tmp/one", Kind.FILE)
    Journal(own).clear()


class Gate:
    """Leaves what it has to tell."""

    journal: Journal | None = None

    def __init__(self, config: Any) -> None:
        self.config = config

    def put_off(self) -> None:
        self.config.workeroutput["tally"] = "all"


def test_the_gate_tells_what_it_knows_before_the_process_is_forked(own: Any) -> None:
    config: Any = SimpleNamespace(workeroutput={"others": 1})
    gate: Gate | None = Gate(config)
    config.pluginmanager = SimpleNamespace(get_plugin=lambda _: gate)
    GateInside(own).pytest_configure(config)
    assert gate is not None
    assert gate.journal is not None
    assert put_off(config) == {"tally": "all"}
    # It would be told again by each fork.
    assert config.workeroutput == {"others": 1}
    gate = None
    GateInside(own).pytest_configure(config)
    assert put_off(config) is None
