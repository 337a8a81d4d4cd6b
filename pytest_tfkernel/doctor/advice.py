"""What a person can change about what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_tfkernel.doctor.findings import GpuLook, Surroundings
from pytest_tfkernel.doctor.idle import NO_DRIVER
from pytest_tfkernel.doctor.site import SHARED_MEMORY
from pytest_tfkernel.model.gpus import Calibration, Sight
from pytest_tfkernel.model.trials import Capability

_NO_DEVICE = (
    "install the NVIDIA driver; start a container with `docker run --gpus all` (NVIDIA Container Toolkit), a pod with"
    " the limit `nvidia.com/gpu`"
)
_HOST_PIDS = "run in the host's pid namespace: `docker run --pid=host`, in a pod `hostPID: true`; or update the driver"
_BY_SIGHT = {
    Sight.NO_DRIVER: _NO_DEVICE,
    Sight.NO_GPU: f"let CUDA_VISIBLE_DEVICES name a GPU, or unset it; {_NO_DEVICE}",
    Sight.NO_BINDINGS: "`pip install nvidia-ml-py`",
    Sight.FAILED: "compare `nvidia-smi` with the kernel log; after an update of the driver, restart the machine",
    Sight.HANGS: "look for NVRM in the kernel log (`dmesg`); reset the GPU or restart the machine, and run"
    " nvidia-persistenced, without which the driver starts anew each time",
    Sight.NO_CONTEXT: "make sure that libcuda.so.1 is that of the driver, and that nobody uses the GPU exclusively",
    Sight.INVISIBLE: _HOST_PIDS,
    Sight.FOREIGN_IDS: _HOST_PIDS,
    Sight.WSL2: "run on Linux itself",
    Sight.GVISOR: "run outside of gVisor",
}
# What Docker gives unless it is told another size.
_SMALL_BYTES = 64 << 20
# What one cause takes away.
_OF_SIGHT = ("nvml-processes", "gpu-memory")
_OF_DRIVER = ("gpu", "gpu-idle", *_OF_SIGHT)


def changes(
    capabilities: Sequence[Capability], calibration: Calibration | None, look: GpuLook | None
) -> tuple[str, ...]:
    """A line for each thing that can be changed, with the names of what it would bring back."""
    sight = None if calibration is None else calibration.sight
    if look is not None and look.reading.code in NO_DRIVER:
        sight = Sight.NO_DRIVER
    names: dict[str, list[str]] = {}
    for one in capabilities:
        if not one.available:
            names.setdefault(_advice(one, sight), []).append(one.name)
    lines = [f"{', '.join(missing)}: {advised}" for advised, missing in names.items()]
    return (*lines, *_of_states(calibration, look))


def of_surroundings(found: Surroundings | None) -> Iterator[str]:
    """What can be changed about the place."""
    if found is None:
        return
    if found.shared_memory is None:
        yield f"{SHARED_MEMORY}: mount it (`mount -t tmpfs tmpfs {SHARED_MEMORY}`): shared memory is files in it"
    elif found.shared_memory[0] <= _SMALL_BYTES:
        yield (
            f"{SHARED_MEMORY} has {found.shared_memory[0] >> 20} MiB, and data loaders fill it: `docker run"
            " --shm-size=2g`, in a pod an `emptyDir` of `medium: Memory`"
        )
    if found.is_first:
        yield (
            "process 1: pytest, started as this was, would adopt every orphan of its container, and leave them as"
            " zombies: `docker run --init`, in a pod `shareProcessNamespace: true`"
        )


def _advice(missing: Capability, sight: Sight | None) -> str:
    affected = _OF_DRIVER if sight in {Sight.NO_DRIVER, Sight.NO_BINDINGS, Sight.HANGS, Sight.WSL2} else _OF_SIGHT
    return _BY_SIGHT[sight] if sight in _BY_SIGHT and missing.name in affected else missing.reason


def _of_states(calibration: Calibration | None, look: GpuLook | None) -> Iterator[str]:
    for lost in look.reading.lost if look is not None else ():
        yield f"{lost}: take this machine out of service, and reset the GPU (`nvidia-smi --gpu-reset`) or restart"
    if calibration is not None and calibration.mps:
        yield "MPS: stop it with `echo quit | nvidia-cuda-mps-control`; nothing is killed while it runs"
