"""Leases that pytest itself wears."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.gate.leases import Leases
from pytest_tfkernel.model.processes import ProcessId


@pytest.fixture
def leases() -> Iterator[Leases]:
    leases = Leases()
    yield leases
    leases.restore()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


class TestLeases:
    def test_are_inherited_and_restored(self, leases: Leases) -> None:
        before = resource.getrlimit(proc.RLIMIT_LOCKS)
        lease = leases.new()
        leases.wear(lease)
        ask = "import resource; print(resource.getrlimit(10)[0])"
        said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, env={})
        assert int(said.stdout) == lease
        leases.restore()
        assert resource.getrlimit(proc.RLIMIT_LOCKS) == before

    def test_are_all_different(self, leases: Leases) -> None:
        assert len({leases.new() for _ in range(100)} | {Leases().new() for _ in range(100)}) == 200

    def test_are_worn_by_those_that_follow(self, leases: Leases, sleeper: subprocess.Popen[bytes]) -> None:
        start_time = proc.start_time(sleeper.pid)
        assert start_time is not None
        leases.follow(ProcessId(sleeper.pid, start_time))
        leases.wear(lease := leases.new())
        assert proc.lease_of(sleeper.pid) == lease
        assert leases.follows(sleeper.pid)

    def test_of_another_process_with_the_same_pid_are_left_alone(
        self, leases: Leases, sleeper: subprocess.Popen[bytes]
    ) -> None:
        before = proc.lease_of(sleeper.pid)
        leases.follow(ProcessId(sleeper.pid, 1))
        leases.wear(leases.new())
        assert proc.lease_of(sleeper.pid) == before
        assert not leases.has_followers
