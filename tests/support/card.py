"""A real GPU under test, and kernels that hold contexts on it through the driver API."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

from pytest_tfkernel.audit.gpu import find, listed
from pytest_tfkernel.kernels.faults.gpu_cells import OPEN_CONTEXT
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.gpus import Calibration, Gpu, GpuRelease
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.gpu import NAME, Handover, Share, look, play_with
from pytest_tfkernel.trials import cells
from pytest_tfkernel.trials.stage import Stage

MIB = 1 << 20


@dataclasses.dataclass
class Card:
    """The first visible GPU, and what was measured on it."""

    gpus: Gpus
    calibration: Calibration
    start: Callable[..., Kernel]
    figures: dict[str, list[float]]

    @property
    def uuid(self) -> str:
        return self.calibration.visible[0]

    def now(self) -> Gpu:
        """As NVML describes it now."""
        reading = self.gpus.nvml.read()
        gpu = find(reading, self.uuid)
        assert gpu is not None, reading
        assert gpu.processes is not None, gpu
        return gpu

    def used(self) -> int:
        """Bytes in use."""
        used = self.now().used
        assert used is not None
        return used

    def lists(self, kernel: Kernel) -> bool:
        """Whether NVML lists this kernel's process, or one of its threads, now."""
        return listed(self.now(), {kernel.pid, *map(int, os.listdir(f"/proc/{kernel.pid}/task"))})

    def holder(self, size: int = 256 * MIB, **spec: object) -> Kernel:
        """A kernel with an open context and this many bytes allocated."""
        kernel = self.start(**{"provisioner": "subprocess", "timeout": 120.0, **spec})
        value(kernel, OPEN_CONTEXT)
        value(kernel, f"held = context.allocate({size})")
        assert self.lists(kernel)
        return kernel

    def released(self, pid: int, baseline: int, figure: str) -> GpuRelease:
        """Wait until this process is gone from the GPU, and keep how long that took."""
        release = self.gpus.settling.wait(self.uuid, {pid}, None if self.calibration.advisory else baseline)
        self.measure(figure, release.seconds)
        assert not release.error
        return release

    def measure(self, figure: str, number: float) -> None:
        """Keep a figure for the summary."""
        self.figures.setdefault(figure, []).append(number)


def value(kernel: Kernel, cell: str) -> object:
    """The value of a cell that must not fail."""
    reply = kernel.execute(cell)
    assert reply.error is None, reply.error.traceback
    return reply.value


def compute(gpus: Gpus, kernel: Kernel) -> Share:
    """Hold a context and 512 MiB; what NVML says of the kernel then."""
    cells.value(kernel, OPEN_CONTEXT)
    cells.value(kernel, f"held = context.allocate({512 * MIB})")
    return look(gpus, kernel)


def release(gpus: Gpus, launcher: Launcher, fault: str, startup: str = "", seconds: float = 30.0) -> Facts[Handover]:
    """Play `gpu-is-released` with the driver API in place of TensorFlow; a saboteur is run after each computation."""

    def work(gpus: Gpus, kernel: Kernel) -> Share:
        seen = compute(gpus, kernel)
        cells.value(kernel, startup)
        return seen

    stage = Stage(launcher)
    stage.gpus = gpus
    stage.gpus.settling = dataclasses.replace(gpus.settling, seconds=seconds)
    return play_with(work, Setting("subprocess", NAME, fault), stage, KernelSpec())
