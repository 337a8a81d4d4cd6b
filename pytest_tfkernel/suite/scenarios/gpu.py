"""A kernel that holds a part of the GPU dies, and the next one wants as much."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from pytest_tfkernel.audit.gpu import find
from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.faults import Dies
from pytest_tfkernel.model.gpus import Gpu
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Facts, Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Start, perform
from pytest_tfkernel.trials import examples, placement
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.stage import Stage

NAME = "gpu-is-released"
_EXAMPLE = examples.find("gpu_matmul")


Compute = Callable[[Gpus, Kernel], dict[str, Any]]


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """The trial with TensorFlow; see `play_with`."""
    return play_with(_compute, setting, stage, spec)


def play_with(compute: Compute, setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """`held`: whether NVML `listed` the kernel when it had computed, and its `memory` in bytes; `again`: the next one.

    `said` is the error of a fault that a kernel survives. `release` is what became of the dead kernel's part
    (`model.gpus.GpuRelease`), with why memory is no evidence (`advisory`).
    """
    gpus = stage.gpus

    def script(start: Start, facts: dict[str, Any]) -> None:
        baseline = _check(gpus, setting).used
        kernel = start()
        facts["held"] = compute(gpus, kernel)
        ids = gpus.ids(kernel.life.process)
        outcome = kernel.inject(setting.fault)
        if outcome.reply is not None and outcome.reply.error is not None:
            facts["said"] = str(outcome.reply.error).splitlines()[0]
        if kernel.is_alive:
            kernel.shutdown(now=True)
        calibration = gpus.calibration
        release = gpus.settling.wait(calibration.visible[0], ids, None if calibration.advisory else baseline)
        facts["release"] = {**dataclasses.asdict(release), "advisory": calibration.advisory}
        kernel.restart()
        try:
            facts["again"] = compute(gpus, kernel)
        except CellFailedError as error:
            facts["again"] = {"error": str(error)}

    return perform(setting, stage, spec, script)


def _check(gpus: Gpus, setting: Setting) -> Gpu:
    """The GPU before. Raises CellFailedError when nothing could be seen on it, or when others would be harmed."""
    if not gpus.are_there:
        raise CellFailedError("there is no GPU: no device of an NVIDIA driver exists")
    calibration = gpus.calibration
    if not calibration.sees_processes:
        raise CellFailedError(f"{calibration.sight.value}: {calibration.reason}")
    if gpus.harm:
        raise CellFailedError(gpus.harm)
    gpu = find(gpus.nvml.read(), calibration.visible[0])
    if gpu is None or gpu.processes is None:
        raise CellFailedError("NVML could not be read")
    if gpu.processes and menu.find(setting.fault).harms:
        others = ", ".join(str(process.pid) for process in gpu.processes)
        raise CellFailedError(f"{setting.fault} may harm others, and processes that aren't ours use the GPU: {others}")
    return gpu


def _compute(gpus: Gpus, kernel: Kernel) -> dict[str, Any]:
    """Run the example, and what NVML says of the process then."""
    value(kernel, examples.LOOK)
    details = value(kernel, _EXAMPLE.run)["details"]
    if not details["gpus"]:
        raise CellFailedError("TensorFlow lists no GPU: install tensorflow[and-cuda]")
    if elsewhere := placement.not_on(details["gpus"], details["ran"]):
        raise CellFailedError(elsewhere)
    return look(gpus, kernel)


def look(gpus: Gpus, kernel: Kernel) -> dict[str, Any]:
    """What NVML says of a living kernel now."""
    gpu = find(gpus.nvml.read(), gpus.calibration.visible[0])
    ids = gpus.ids(kernel.life.process)
    mine = [process for process in (gpu.processes or () if gpu is not None else ()) if process.pid in ids]
    return {"listed": bool(mine), "memory": mine[0].memory if mine else None}


# Those that may harm others are played only when the run allows them by name.
_FAULTS = ("sigkill", *(fault.name for fault in menu.FAULTS if fault.harms and not isinstance(fault.expects, Dies)))

GPU = Scenario(
    NAME,
    "a kernel on the GPU dies, and the next one wants as much",
    tuple(Setting("forkserver", NAME, fault) for fault in _FAULTS),
    play,
)
