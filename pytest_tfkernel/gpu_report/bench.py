"""Kernels that hold a CUDA context through the driver API, and what becomes of their part of the GPU."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

from pytest_tfkernel.audit.gpu import find
from pytest_tfkernel.gpu_report.figures import UnitWord
from pytest_tfkernel.kernels.faults.gpu_cells import OPEN_CONTEXT
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.gpus import Calibration, Gpu, GpuRelease
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.suite.scenarios.gpu import Share, look
from pytest_tfkernel.trials.cells import CellFailedError, value

MIB = 1 << 20
# What a kernel allocates beside its context.
HELD = 256 * MIB

Measured = Callable[[str, UnitWord, float], None]


@dataclasses.dataclass(frozen=True)
class Bench:
    """The first visible GPU; what is measured on it goes to `measured`, by name and unit."""

    launcher: Launcher
    gpus: Gpus
    calibration: Calibration
    measured: Measured
    clock: Callable[[], float] = time.monotonic

    def now(self) -> Gpu:
        """The GPU as NVML describes it now. Raises CellFailedError where it can't."""
        reading = self.gpus.nvml.read()
        gpu = find(reading, self.calibration.visible[0])
        if gpu is None or gpu.processes is None:
            why = reading.error or "; ".join(reading.lost) or (gpu.processes_error if gpu is not None else "it is gone")
            raise CellFailedError(f"NVML could not be read: {why}")
        return gpu

    @property
    def baseline(self) -> int | None:
        """Bytes in use now; None where the memory of the device is no evidence."""
        return None if self.calibration.advisory else self.now().used

    @contextlib.contextmanager
    def holder(self, size: int = HELD, **spec: Any) -> Iterator[Kernel]:
        """A kernel with an open context, `context`, and this many bytes allocated, `held`; it ends with the block."""
        changes = {"provisioner": "subprocess", **spec}
        if changes["provisioner"] == "forkserver":
            # It needs no TensorFlow.
            changes["provisioner"] = ForkServer(preload=())
        kernel = self.launcher.start(KernelSpec(**changes))
        try:
            value(kernel, OPEN_CONTEXT)
            value(kernel, f"held = context.allocate({size})")
            yield kernel
        finally:
            kernel.shutdown(now=True)

    def sees(self, kernel: Kernel) -> Share:
        """Whether NVML lists this kernel now, and its memory in bytes."""
        return look(self.gpus, kernel)

    def kill(self, kernel: Kernel, fault: str = "sigkill") -> float:
        """Let a fault end a kernel; how many seconds that took. Raises CellFailedError where it lives on."""
        began = self.clock()
        if kernel.inject(fault).post_mortem is None:
            raise CellFailedError(f"{fault} has not ended the kernel")
        return self.clock() - began

    def settled(self, ids: frozenset[int], baseline: int | None) -> GpuRelease:
        """What becomes of the part of a process that has ended."""
        return self.gpus.settling.wait(self.calibration.visible[0], ids, baseline)
