"""What the tests of the audit share: kernels with accounts of what they hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts import Account, Holding
from driver_stub import DriverStub
from pytest_tfkernel.audit.gpu import Nvml
from pytest_tfkernel.audit.ledger import AuditedKernel, Eyes, Ledger, OwnProcesses, baseline
from pytest_tfkernel.audit.probes import PROBES, Probe
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.processes.companions import Helper

OpenAccount = Callable[..., Account]


@pytest.fixture
def open_account(launcher: Launcher, start: Callable[..., Kernel]) -> Iterator[OpenAccount]:
    """Start a kernel without TensorFlow and open its account; by default all probes look."""
    leases: list[int] = []

    def open_account(*probes: Probe, folder: Path | None = None, spec: dict[str, object] | None = None) -> Account:
        eyes = Eyes(probes=probes or PROBES)
        before = baseline(eyes)
        kernel = start(**(spec or {}))
        leases.append(kernel.life.lease)
        audited = AuditedKernel(kernel.life.process, kernel.life.lease, kin_of(kernel, launcher), folder)
        return Account(kernel, Ledger(audited, before, eyes))

    yield open_account
    # At once: a shutdown would wait for them to end by themselves.
    for lease in leases:
        launcher.supervisor.end(lease)


def kin_of(kernel: Kernel, launcher: Launcher) -> Callable[[], OwnProcesses]:
    """As the supervisor knows them."""
    return lambda: OwnProcesses([one.process for one in launcher.supervisor.members(kernel.life.lease)])


@pytest.fixture
def account(open_account: OpenAccount) -> Account:
    """A kernel without TensorFlow, at which all probes look."""
    return open_account()


@pytest.fixture
def neighbour(open_account: OpenAccount) -> Account:
    """Another one beside it."""
    return open_account()


@pytest.fixture
def helper(launcher: Launcher, stub: DriverStub) -> Iterator[Callable[..., Helper]]:
    """A helper of a role that sees the machine; the keywords are variables of its environment."""
    helpers: list[Helper] = []

    def helper(role: str, **environment: str) -> Helper:
        ours = {name: text for name, text in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
        helpers.append(Helper(role, launcher.supervisor, launcher.new_lease, ours | stub.environment | environment))
        return helpers[-1]

    yield helper
    for one in helpers:
        one.close()


@pytest.fixture
def nvml(helper: Callable[..., Helper]) -> Nvml:
    """Readings of the machine."""
    return Nvml(helper("nvml"))


@pytest.fixture
def hold(helper: Callable[..., Helper], await_death: Callable[[int], None]) -> Callable[[], Holding]:
    """A process with a context and some memory on the first GPU."""

    def hold() -> Holding:
        holder = helper("sentinel")
        assert holder.ask({"op": "hold", "ordinal": 0, "bytes": 1000}, 30.0)["kind"] == "holding"
        assert holder.process is not None
        return Holding(holder.process.pid, await_death)

    return hold
