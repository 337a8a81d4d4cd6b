"""What readings of NVML are worth on this machine: learnt from a sentinel, a process that holds a context.

An empty list of processes proves nothing: which ids a driver shows, and whether it shows any, depends on its
version, on containers and on the machine. So one process of ours that must be seen is looked for first.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from pytest_tfkernel._child.nvml import NO_BINDINGS
from pytest_tfkernel.audit.gpu import Asks, Nvml, find
from pytest_tfkernel.model.gpus import Calibration, Gpu, GpuProcess, PerProcess, Reading, Sight

# What the sentinel allocates beside its context.
SENTINEL_BYTES = 64 << 20
# A first context loads and compiles much.
_CONTEXT_SECONDS = 60.0
_LISTED_SECONDS = 2.0
_PAUSE = 0.05

# Codes of nvmlReturn_t: no driver loaded, no library found.
_NO_DRIVER = (9, 12)
# Memory of these is that of the machine, too: the Linux kernel places pages of others there.
_COHERENT = ("GH200", "GB200", "GB300", "GB10")


@dataclasses.dataclass(frozen=True)
class Platform:
    """Where the states of a machine are read."""

    version: Path = Path("/proc/version")
    wsl: Path = Path("/dev/dxg")
    proc: Path = Path("/proc")
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def is_wsl(self) -> bool:
        """Whether this is the Linux of Windows (WSL2), which has no NVML of processes."""
        return self.wsl.exists()

    def is_gvisor(self) -> bool:
        """Whether gVisor stands for the Linux kernel. It says so nowhere but in a build date that never changes."""
        try:
            return "#1 SMP Sun Jan 10 15:06:54 PST 2016" in self.version.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False

    def threads(self, pid: int) -> set[int]:
        """The ids of all threads of a process, that of its first one included."""
        try:
            return {int(task.name) for task in (self.proc / str(pid) / "task").iterdir()}
        except OSError:
            return {pid}


def calibrate(nvml: Nvml, sentinel: Asks, pid_of: Callable[[], int], machine: Platform | None = None) -> Calibration:
    """Start the sentinel on the first visible GPU and see how NVML shows it. Its end is the caller's.

    `pid_of` says which process the sentinel is, once it has answered.
    """
    machine = machine or Platform()
    if machine.is_wsl():
        return Calibration(Sight.WSL2, "NVML lists no processes there: run on Linux itself to check GPUs")
    before = nvml.read()
    if before.error:
        return _without_reading(before)
    found = sentinel.ask({"op": "devices"}, _CONTEXT_SECONDS)
    if found["kind"] == "failed":
        return Calibration(Sight.NO_CONTEXT, found["error"], driver=before.driver, notes=before.lost)
    devices = found["devices"]
    if not devices:
        reason = "CUDA_VISIBLE_DEVICES hides all of them" if before.gpus else "NVML finds none"
        return Calibration(Sight.NO_GPU, reason, driver=before.driver, notes=before.lost)
    known = Calibration(
        Sight.INVISIBLE,
        visible=tuple(device["uuid"] for device in devices),
        names=tuple(device["name"] for device in devices),
        driver=before.driver,
        notes=before.lost,
    )
    uuid = known.visible[0]
    idle = find(before, uuid)
    if idle is None:
        return dataclasses.replace(known, sight=Sight.FAILED, reason=f"NVML doesn't know of GPU {uuid}")
    held = sentinel.ask({"op": "hold", "ordinal": 0, "bytes": SENTINEL_BYTES}, _CONTEXT_SECONDS)
    if held["kind"] == "failed":
        return dataclasses.replace(known, sight=Sight.NO_CONTEXT, reason=held["error"])
    return _look(known, nvml, machine, idle, pid_of())


def _look(known: Calibration, nvml: Nvml, machine: Platform, idle: Gpu, pid: int) -> Calibration:
    """How the sentinel, which holds its context now, is shown."""
    known_before = {process.pid for process in idle.processes or ()}
    # An id that was listed before is of another process, in another namespace perhaps.
    ids = machine.threads(pid) - known_before
    deadline = machine.clock() + _LISTED_SECONDS
    while True:
        reading = nvml.read()
        gpu = find(reading, idle.uuid)
        if gpu is None or gpu.processes is None:
            why = reading.error or (gpu.processes_error if gpu is not None else "") or "; ".join(reading.lost)
            return dataclasses.replace(known, sight=Sight.FAILED, reason=f"the list of processes can't be read: {why}")
        ours = next((process for process in gpu.processes if process.pid in ids), None)
        if ours is not None or machine.clock() > deadline:
            break
        machine.sleep(_PAUSE)
    known = _with_memory(known, idle, gpu, ours)
    if ours is not None:
        return dataclasses.replace(
            known, sight=Sight.FULL, thread_ids=ours.pid != pid, per_process=_per_process(ours.memory)
        )
    if machine.is_gvisor():
        return dataclasses.replace(known, sight=Sight.GVISOR, reason="run outside of gVisor to check GPU processes")
    new = {process.pid for process in gpu.processes} - known_before
    if new:
        shown = ", ".join(map(str, sorted(new)))
        reason = (
            f"the sentinel (pid {pid}) was listed as {'one of ' if len(new) > 1 else ''}{shown}: run in the host's"
            " pid namespace (docker run --pid=host)"
        )
        return dataclasses.replace(known, sight=Sight.FOREIGN_IDS, reason=reason)
    reason = f"the sentinel (pid {pid}) held a context and was not listed: run in the host's pid namespace, or update"
    return dataclasses.replace(known, reason=f"{reason} the driver ({known.driver})")


def _with_memory(known: Calibration, idle: Gpu, gpu: Gpu, ours: GpuProcess | None) -> Calibration:
    """What the device's own memory and its other users mean for the audit."""
    # Without a sign of the sentinel, one of those that are new is the sentinel under another id.
    others = [one for one in (gpu if ours is not None else idle).processes or () if one is not ours]
    notes = list(known.notes)
    advisory = ""
    if idle.used is None or gpu.used is None:
        advisory = f"the memory in use can't be read: {gpu.memory_error or idle.memory_error}"
    elif any(name in gpu.name for name in _COHERENT):
        advisory = f"{gpu.name} shares its memory with the machine"
    elif others:
        advisory = f"{len(others)} other process(es) use this GPU"
    elif gpu.used < idle.used + SENTINEL_BYTES:
        advisory = f"{SENTINEL_BYTES} bytes were allocated, and {gpu.used - idle.used} more are in use"
    mps = any(process.kind == "mps" for process in gpu.processes or ())
    if mps:
        notes.append("MPS is running: a killed client can take its neighbours along, so nothing is killed on this GPU")
    if gpu.parent:
        notes.append(f"MIG: kernels are on instance {gpu.uuid}")
    return dataclasses.replace(known, advisory=advisory, mps=mps, notes=tuple(notes))


def _per_process(memory: int | None) -> PerProcess:
    if memory is None:
        return PerProcess.ABSENT
    return PerProcess.EXACT if memory >= SENTINEL_BYTES else PerProcess.ZERO


def _without_reading(reading: Reading) -> Calibration:
    if reading.hung:
        return Calibration(Sight.HANGS, reading.error)
    if reading.code == NO_BINDINGS:
        return Calibration(Sight.NO_BINDINGS, f"{reading.error}: pip install nvidia-ml-py")
    if reading.code in _NO_DRIVER:
        return Calibration(Sight.NO_DRIVER, f"{reading.error}: install it, or start the container with --gpus all")
    return Calibration(Sight.FAILED, reading.error)
