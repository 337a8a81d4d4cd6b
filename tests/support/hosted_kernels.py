"""Which kernels of Jupyter and Spyder can be had here, and what their hosts have printed."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.generations import host as hosts
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher

# Names an interpreter with ipykernel 7, beside which spyder-kernels can't be.
IPYKERNEL7 = "TFKERNEL_TEST_PYTHON_IPYKERNEL7"
QUICK = {"timeout": 30.0, "start_timeout": 60.0}
# The restarter's own pace is 3 s, which few tests are about.
POLL = 0.1


@dataclass(frozen=True)
class Kind:
    """A provisioner, what it needs in the kernel's interpreter, and the variable that names that interpreter."""

    provisioner: str
    module: str
    variable: str | None = None

    def python(self, launcher: Launcher) -> str:
        """The interpreter; skips with the reason where there is none."""
        if importlib.util.find_spec("jupyter_client") is None:
            pytest.skip("jupyter_client is not installed")
        python = sys.executable if self.variable is None else os.environ.get(self.variable, "")
        if not python:
            pytest.skip(f"{self.variable} names no interpreter")
        if self.module not in launcher.interpreter(python).packages:
            pytest.skip(f"{python} has no {self.module}")
        return python

    @property
    def environment(self) -> dict[str, str]:
        """For its kernels, in which warnings are errors, but for those that ipykernel causes itself.

        Spyder imports matplotlib where it can, which takes as long as all the rest: nobody looks at a figure here.
        """
        known = ["error", "ignore:There is no current event loop:DeprecationWarning"]
        if self.variable is not None:
            # Of its own way to shut down; as an error that keeps it from doing so.
            known.append("ignore::PendingDeprecationWarning")
        environment = {"PYTHONWARNINGS": ",".join(known)}
        if self.module == "spyder_kernels":
            environment["PYTHONPATH"] = str(Path(__file__).parent / "plain")
        return environment

    def __str__(self) -> str:
        return self.provisioner if self.variable is None else f"{self.provisioner}-ipykernel7"


JUPYTER, SPYDER = Kind("jupyter", "ipykernel"), Kind("spyder", "spyder_kernels")
KINDS = (JUPYTER, Kind("jupyter", "ipykernel", IPYKERNEL7), SPYDER)
# For what is the manager's doing, which is the same for all: of a Spyder, which takes longest to start, in the soak.
MANAGED = pytest.mark.parametrize(
    "kind",
    [pytest.param(one, id=str(one), marks=[pytest.mark.soak] * (one == SPYDER)) for one in KINDS],
    indirect=True,
)


def host_pid(kernel: Kernel) -> int:
    """The process of the kernel's manager."""
    pid: int = kernel._generations._host.process.pid  # type: ignore[attr-defined]
    return pid


def silent_hosts() -> Iterator[list[str]]:
    """Fail when a host has printed anything by its end, or a kernel warns: warnings are errors in both.

    What has been printed may be taken off the list.
    """
    printed: list[str] = []
    close = hosts.Host.close

    def closing(host: hosts.Host) -> None:
        printed.append(host._companion.log.read(0, 1 << 16)[0])
        close(host)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hosts.Host, "close", closing)
        patch.setenv("PYTHONWARNINGS", "error")
        yield printed
    # pytest doesn't look into an assertion of this module.
    assert not any(printed), "".join(printed)
