"""What the tests of hosts share: kernels of all kinds, whose hosts have nothing to complain of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import hosted_kernels
from hosted_kernels import JUPYTER, KINDS, POLL, QUICK, Kind
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import Jupyter, named

StartKernel = Callable[..., Kernel]


@pytest.fixture(scope="module", autouse=True)
def silent_hosts() -> Iterator[list[str]]:
    """No host prints anything, also under `-W error`."""
    yield from hosted_kernels.silent_hosts()


@pytest.fixture(scope="module")
def launcher(host_launcher: Launcher) -> Launcher:
    """Its hosts, and their kernels, are forks."""
    return host_launcher


@pytest.fixture(scope="module", params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest, launcher: Launcher) -> Kind:
    """Each kind that can be had here."""
    chosen: Kind = request.param
    chosen.python(launcher)
    return chosen


@pytest.fixture(scope="module")
def shared(silent_hosts: list[str], launcher: Launcher, kind: Kind) -> Iterator[Kernel]:
    """One kernel for all tests of a module that leave it as it was."""
    changes: dict[str, Any] = {**QUICK, "environment": kind.environment}
    provisioner = named(kind.provisioner, like=Jupyter(restart_poll=POLL))
    kernel = launcher.start(KernelSpec(python=kind.python(launcher), provisioner=provisioner, **changes))
    yield kernel
    kernel.shutdown()
    assert kernel.generation == 1, "a test has killed the kernel of the others"


@pytest.fixture
def start_hosted(start: StartKernel, launcher: Launcher) -> StartKernel:
    """Start a kernel of Jupyter, or as the keywords say: also those of `Jupyter`."""
    JUPYTER.python(launcher)

    def start_one(
        provisioner: str = "jupyter",
        restart_poll: float | None = POLL,
        kernelspec: str | None = None,
        **spec: Any,
    ) -> Kernel:
        chosen = named(provisioner, like=Jupyter(kernelspec, restart_poll))
        return start(**{"provisioner": chosen, "environment": JUPYTER.environment, **QUICK, **spec})

    return start_one


@pytest.fixture
def kernel(start_hosted: StartKernel, launcher: Launcher, kind: Kind) -> Kernel:
    """A kernel of each kind, for one test."""
    return start_hosted(python=kind.python(launcher), provisioner=kind.provisioner, environment=kind.environment)
