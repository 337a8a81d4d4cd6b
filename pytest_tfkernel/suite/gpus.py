"""The GPUs of this machine, looked at by helpers under the session's supervisor."""

from __future__ import annotations

import functools

from pytest_tfkernel.audit.calibration import Machine, calibrate
from pytest_tfkernel.audit.gpu import Nvml, Settling
from pytest_tfkernel.kernels.helpers import Helper
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.gpus import Calibration


class Gpus:
    """Readings of NVML, and what they are worth: the sentinel is started once, when that is first asked."""

    def __init__(self, launcher: Launcher, machine: Machine | None = None) -> None:
        self._launcher = launcher
        self._machine = machine
        self._helper = Helper("nvml", launcher.supervisor, launcher.new_lease)
        self.nvml = Nvml(self._helper)
        self.settling = Settling(self.nvml)

    @functools.cached_property
    def calibration(self) -> Calibration:
        """What NVML shows of a process that must be seen; the process has ended afterwards."""
        sentinel = Helper("sentinel", self._launcher.supervisor, self._launcher.new_lease)
        try:
            return calibrate(
                self.nvml, sentinel, lambda: sentinel.process.pid if sentinel.process is not None else 0, self._machine
            )
        finally:
            sentinel.close()

    def close(self) -> None:
        """End the helper."""
        self._helper.close()
