"""A kernel that holds a part of the GPU dies, and the next one wants as much."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from pytest_tfkernel.audit.gpu import find
from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.faults import Dies
from pytest_tfkernel.model.gpus import Gpu
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.trials import examples, placement
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "gpu-is-released"
_EXAMPLE = examples.find("gpu_matmul")


@dataclass(frozen=True, kw_only=True)
class Share:
    """Whether NVML `listed` a kernel when it had computed, and its `memory` in bytes; or the `error` of computing."""

    listed: bool = UNSEEN
    memory: int | None = UNSEEN
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Release:
    """What became of the dead kernel's share (`model.gpus.GpuRelease`); `advisory`: why memory is no evidence."""

    listed: bool | None
    seconds: float
    baseline: int | None
    used: int | None
    error: str
    advisory: str


@dataclass(frozen=True, kw_only=True)
class Handover:
    """What a kernel `held`, what it `said` of a fault that it survives, its `release`, and what came `again`."""

    held: Share = UNSEEN
    said: str | None = None
    release: Release = UNSEEN
    again: Share = UNSEEN


Compute = Callable[[Gpus, Kernel], Share]


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Handover]:
    """The trial with TensorFlow; see `play_with`."""
    return play_with(_compute, setting, stage, spec)


def play_with(compute: Compute, setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Handover]:
    """Compute, strike, wait until the GPU is given back, and compute in the next kernel."""
    gpus = stage.gpus
    notes = Recorder(Handover)

    def script(start: Starts) -> None:
        baseline = _check(gpus, setting).used
        kernel = start()
        notes.note(held=compute(gpus, kernel))
        ids = gpus.ids(kernel.life.process)
        outcome = kernel.inject(setting.fault)
        if outcome.reply is not None and outcome.reply.error is not None:
            notes.note(said=str(outcome.reply.error).splitlines()[0])
        if kernel.is_alive:
            kernel.shutdown(now=True)
        calibration = gpus.calibration
        release = gpus.settling.wait(calibration.visible[0], ids, None if calibration.advisory else baseline)
        notes.note(release=Release(**dataclasses.asdict(release), advisory=calibration.advisory))
        kernel.restart()
        try:
            notes.note(again=compute(gpus, kernel))
        except CellFailedError as error:
            notes.note(again=Share(error=str(error)))

    return perform(setting, stage, spec, notes, script)


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


def _compute(gpus: Gpus, kernel: Kernel) -> Share:
    """Run the example, and what NVML says of the process then."""
    value(kernel, examples.LOOK)
    details = value(kernel, _EXAMPLE.run)["details"]
    if not details["gpus"]:
        raise CellFailedError("TensorFlow lists no GPU: install tensorflow[and-cuda]")
    if elsewhere := placement.not_on(details["gpus"], details["ran"]):
        raise CellFailedError(elsewhere)
    return look(gpus, kernel)


def look(gpus: Gpus, kernel: Kernel) -> Share:
    """What NVML says of a living kernel now."""
    gpu = find(gpus.nvml.read(), gpus.calibration.visible[0])
    ids = gpus.ids(kernel.life.process)
    mine = [process for process in (gpu.processes or () if gpu is not None else ()) if process.pid in ids]
    return Share(listed=bool(mine), memory=mine[0].memory if mine else None)


# Those that may harm others are played only when the run allows them by name.
_FAULTS = ("sigkill", *(fault.name for fault in menu.FAULTS if fault.harms and not isinstance(fault.expects, Dies)))

GPU = Scenario(
    NAME,
    "a kernel on the GPU dies, and the next one wants as much",
    tuple(Setting("forkserver", NAME, fault) for fault in _FAULTS),
    play,
)
