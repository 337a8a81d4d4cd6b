"""States of machines with GPUs, and what the trial of `gpu-is-released` says in each: the rows of a table in docs/gpu.md."""

from __future__ import annotations

from dataclasses import dataclass, field

from driver_stub import GIB, device, mig, process, uuid
from pytest_tfkernel.model.trials import State

# A cell of the kernel that is about to die: the machine is another one from here on.
_CHANGE = """
import os
_path = os.path.join(os.environ["TFKERNEL_STUB"], "machine")
with open(_path + ".new", "w") as _file:
    _file.write({text!r})
os.replace(_path + ".new", _path)
"""


@dataclass(frozen=True)
class Told:
    """A verdict, and a part of its reason; nothing of a PASS, which says what it saw."""

    state: State
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.state.name}: {self.reason}" if self.reason else self.state.name


@dataclass(frozen=True)
class GpuState:
    """A machine, by the lines of its description, and CUDA_VISIBLE_DEVICES where that is set.

    `startup` is a cell of each kernel after it has computed. `released` and `usable` are what `no-cuda-context` and
    `gpu-is-usable-again` say; `seconds` is how long is waited for memory to come back.
    """

    title: str
    machine: tuple[str, ...]
    released: Told
    usable: Told
    visible: str | None = None
    startup: str = ""
    seconds: float = 30.0
    on: str = field(default=uuid(0))

    def row(self) -> str:
        """Of the table."""
        return f"| {self.title} | {self.released} | {self.usable} |"


PASS = Told(State.PASS)
_HIDDEN = Told(State.UNKNOWN, "no GPU is visible: CUDA_VISIBLE_DEVICES hides all of them")
_UNLISTED = Told(State.UNKNOWN, "NVML doesn't list our processes")
_NO_MEMORY = Told(State.UNKNOWN, "it computed on the GPU, but NVML doesn't say here how much a process holds")
_STAYS = Told(State.FAIL, "bytes more are in use than before")
_TWO = (device(0), device(1))
_DIVIDED = (device(0, mig="on"), mig(7), mig(8))
_LOST = f"{device()} lost=1\n"


def _both(title: str, machine: tuple[str, ...], told: Told) -> GpuState:
    return GpuState(title, machine, told, told)


def _chosen(title: str, visible: str, on: str = "") -> GpuState:
    told = PASS if on else _HIDDEN
    return GpuState(f"two GPUs, {title}", _TWO, told, told, visible, on=on)


GPU_STATES = (
    _both("one GPU", (device(),), PASS),
    _both("the memory of the dead comes back late", (device(), "linger 0.2", "fall 0.4"), PASS),
    GpuState("it doesn't come back while it is waited for", (device(), "fall 3600"), _STAYS, PASS, seconds=0.5),
    GpuState(
        "nor is there room for the next one",
        (device(total=int(2.3 * GIB)), "fall 3600"),
        _STAYS,
        Told(State.FAIL, "the next kernel could not use the GPU"),
        seconds=0.2,
    ),
    GpuState("a GPU divided by MIG: its first instance", _DIVIDED, PASS, PASS, on=uuid(7, "MIG")),
    GpuState(
        "a GPU divided by MIG: the second instance, by its MIG-UUID",
        _DIVIDED,
        PASS,
        PASS,
        uuid(8, "MIG"),
        on=uuid(8, "MIG"),
    ),
    _both("two GPUs", _TWO, PASS),
    _both("two GPUs, and somebody else on the other one", (*_TWO, process(4000000, device=1)), PASS),
    _chosen("one by its index (`1`)", "1", uuid(1)),
    _chosen("one by its UUID", uuid(1), uuid(1)),
    _chosen("one by the beginning of its UUID", "GPU-00000001", uuid(1)),
    _chosen("both in another order (`1,0`)", "1,0", uuid(1)),
    _chosen("what follows nonsense is ignored (`0,nonsense,1`)", "0,nonsense,1", uuid(0)),
    _chosen("none (empty)", ""),
    _chosen("none (`-1`)", "-1"),
    _chosen("one that isn't there (`7`)", "7"),
    _chosen("nonsense (`all`)", "all"),
    GpuState("NVML says of no process how much it holds", (device(), "process_memory none"), PASS, _NO_MEMORY),
    GpuState("NVML says 0 of each", (device(), "process_memory zero"), PASS, _NO_MEMORY),
    _both("NVML lists no process of ours, as in some containers", (device(), "pids hidden"), _UNLISTED),
    GpuState(
        "the GPU is lost while the kernel holds it",
        (device(),),
        Told(State.UNKNOWN, "NVML could not be read: GPU 0: GPU is lost"),
        Told(State.UNKNOWN, "NVML could not be read: GPU 0: GPU is lost; the next kernel could not use the GPU"),
        startup=_CHANGE.format(text=_LOST),
    ),
    _both("it was lost before", (f"{device()} lost=1",), Told(State.UNKNOWN, "no CUDA context can be made")),
)
