"""What is known of GPUs: readings of NVML, and what its readings are worth on this machine."""

from __future__ import annotations

import enum
from dataclasses import dataclass


def is_stand_in(*names: str) -> bool:
    """Whether a device or driver says in its name that it stands in for NVIDIA's: nothing is measured on a GPU then."""
    return any("stand-in" in name.lower() for name in names)


@dataclass(frozen=True)
class GpuProcess:
    """A process as NVML lists it. `memory` is in bytes; None where the driver doesn't say."""

    pid: int
    memory: int | None
    kind: str = "compute"


@dataclass(frozen=True)
class Gpu:
    """One device, or one MIG instance of one (`parent` is the UUID of its device then).

    `total` and `used` are bytes, None when `memory_error` says why; `processes` is None when
    `processes_error` does. `mig` is True for a device that is divided into instances.
    """

    uuid: str
    name: str
    total: int | None
    used: int | None
    processes: tuple[GpuProcess, ...] | None
    memory_error: str = ""
    processes_error: str = ""
    mig: bool = False
    parent: str = ""


@dataclass(frozen=True)
class Reading:
    """What NVML said at one instant. `cuda` is 1000 * major + 10 * minor.

    `error` says why it said nothing, with the `code` of NVML where there is one; `hung`: it was ended at its
    deadline. `lost` says what is wrong with devices that are lost or can't be described at all; `denied` names
    those that aren't ours to look at, as in a container or a job that was given others.
    """

    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    cuda: int = 0
    error: str = ""
    code: int | None = None
    hung: bool = False
    lost: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


class Sight(enum.Enum):
    """What NVML can see of processes here."""

    FULL = "NVML lists processes by their ids"
    NO_DRIVER = "there is no NVIDIA driver"
    NO_GPU = "no GPU is visible"
    NO_BINDINGS = "the bindings of NVML are missing"
    FAILED = "NVML fails"
    HANGS = "NVML doesn't answer"
    NO_CONTEXT = "no CUDA context can be made"
    INVISIBLE = "NVML doesn't list our processes"
    FOREIGN_IDS = "NVML lists processes by ids of another namespace"
    WSL2 = "WSL2 has no list of processes"
    GVISOR = "gVisor hides process ids"


class PerProcess(enum.Enum):
    """What NVML says of the memory of one process."""

    EXACT = "exact"
    ZERO = "always 0"
    ABSENT = "not available"


@dataclass(frozen=True)
class Calibration:
    """What a sentinel has shown at the start of a session: how far the readings of NVML can be trusted.

    `visible` are the UUIDs of the GPUs that CUDA_VISIBLE_DEVICES allows, the first of which the sentinel was
    on. `thread_ids`: the listed id was that of a thread of the sentinel. `per_process` is what was said of its
    memory. `advisory` says why the memory of the device is no evidence; empty when it is. `mps`: kills may
    take neighbours along. `notes` are further states of the machine that a person must know.
    """

    sight: Sight
    reason: str = ""
    visible: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    driver: str = ""
    thread_ids: bool = False
    per_process: PerProcess | None = None
    advisory: str = ""
    mps: bool = False
    notes: tuple[str, ...] = ()

    @property
    def sees_processes(self) -> bool:
        """Whether a process can be told to be on the GPU, or not to be."""
        return self.sight is Sight.FULL


@dataclass(frozen=True)
class GpuHold:
    """What a kernel held on the GPU while it lived: `listed` by NVML, and the bytes that it said."""

    listed: bool
    memory: int | None = None


@dataclass(frozen=True)
class GpuRelease:
    """What became of that after its death.

    `listed`: NVML lists it still, after `seconds` in which that could settle; None when `error` says why nobody
    knows. `baseline` and `used` are the
    device's bytes in use before the kernel began and at the end of the wait; None where they are no evidence.
    """

    listed: bool | None
    seconds: float
    baseline: int | None = None
    used: int | None = None
    error: str = ""
