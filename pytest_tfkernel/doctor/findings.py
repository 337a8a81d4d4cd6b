"""What an examination finds, as plain data."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from pytest_tfkernel.model.gpus import Calibration, Gpu, Reading
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import Capability


class Fulfilment(enum.Enum):
    """What became of a requirement; the value is the exit code, and of several the worst one counts."""

    MET = 0
    NOT_MET = 1
    UNKNOWN = 2
    LOST = 3

    @property
    def words(self) -> str:
        """For people."""
        return {0: "met", 1: "not met", 2: "can't tell", 3: "device lost"}[self.value]


@dataclass(frozen=True)
class RequirementResult:
    """One requirement and what became of it. `seconds` is how long that took, its wait included."""

    requirement: str
    answer: Fulfilment
    reason: str = ""
    seconds: float = 0.0


class Role(enum.Enum):
    """What a process does with GPUs. Only a USER keeps them from being idle."""

    USER = "user"
    DAEMON = "daemon"
    OURS = "ours"


@dataclass(frozen=True)
class Listing:
    """A line of NVML's list: the GPU's UUID, bytes (None where the driver doesn't say), and the kind of context."""

    gpu: str
    memory: int | None
    kind: str


@dataclass(frozen=True)
class Occupant:
    """A process that NVML lists, or that has a device of NVIDIA's open.

    `known`: it is in /proc; why it isn't, `absence` says. `container` is the id of the container that it is in; empty
    outside of one, or where that isn't shown. `devices` are paths; `age` is in seconds, None where the clock can't
    tell.
    """

    pid: int
    known: bool = True
    absence: str = ""
    command: str = ""
    user: str = ""
    container: str = ""
    age: float | None = None
    role: Role = Role.USER
    listings: tuple[Listing, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Occupancy:
    """Everybody on the GPUs. `unreadable` counts the processes whose open files nobody could look at."""

    occupants: tuple[Occupant, ...] = ()
    unreadable: int = 0


@dataclass(frozen=True)
class GpuLook:
    """The GPUs at one instant. `visible` are those that CUDA_VISIBLE_DEVICES allows."""

    reading: Reading
    visible: tuple[Gpu, ...] = ()
    occupancy: Occupancy = field(default_factory=Occupancy)


@dataclass(frozen=True)
class Surroundings:
    """What else a person must know of the place in which tests would run.

    `shared_memory` is the size of /dev/shm and what is free of it, in bytes; None where there is none. `is_first`:
    this is process 1, as pytest would be if it were started in the same way.
    """

    shared_memory: tuple[int, int] | None = None
    is_first: bool = False


@dataclass(frozen=True)
class Examination:
    """All that was found; what nobody asked for is None or empty.

    `wanted` is CUDA_VISIBLE_DEVICES; None when it isn't set. `changes` are what a person can do about what is
    missing, a line each.
    """

    interpreter: Interpreter | None = None
    capabilities: tuple[Capability, ...] = ()
    calibration: Calibration | None = None
    look: GpuLook | None = None
    surroundings: Surroundings | None = None
    wanted: str | None = None
    results: tuple[RequirementResult, ...] = ()
    changes: tuple[str, ...] = ()
