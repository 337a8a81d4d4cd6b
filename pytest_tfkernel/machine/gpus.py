"""The GPUs of this machine, looked at by helpers under the session's supervisor."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from pytest_tfkernel.audit.calibration import Platform, calibrate
from pytest_tfkernel.audit.gpu import Nvml, Settling, find, listed
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.gpus import Calibration, Sight
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.companions import Helper


class Gpus:
    """Readings of NVML, and what they are worth: the sentinel is started once, when that is first asked."""

    def __init__(self, launcher: Launcher, machine: Platform | None = None, devices: Path = Path("/dev")) -> None:
        self._launcher = launcher
        self._machine = machine or Platform()
        self.devices = devices
        self._helper = Helper("nvml", launcher.supervisor, launcher.new_lease)
        self.nvml = Nvml(self._helper)
        self.settling = Settling(self.nvml)

    @functools.cached_property
    def calibration(self) -> Calibration:
        """What NVML shows of a process that must be seen, and that must be gone when it has ended."""
        sentinel = Helper("sentinel", self._launcher.supervisor, self._launcher.new_lease)

        def pid() -> int:
            return sentinel.process.pid if sentinel.process is not None else 0

        try:
            found = calibrate(self.nvml, sentinel, pid, self._machine)
            ids = self._machine.threads(pid())
        finally:
            sentinel.close()
        if not found.sees_processes:
            return found
        release = self.settling.wait(found.visible[0], ids, None)
        if release.listed is False:
            return found
        reason = release.error or f"a process that had ended was still listed after {release.seconds:.0f} s"
        return dataclasses.replace(found, sight=Sight.FAILED, reason=reason)

    @functools.cached_property
    def are_there(self) -> bool:
        """Whether the driver has made a device, so that it is worth asking; asking takes some tenths of a second."""
        return any(self.devices.glob("nvidia[0-9]*")) or (self.devices / "dxg").exists()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the GPUs that a kernel started here may use."""
        return self.calibration.names if self.are_there else ()

    @property
    def harm(self) -> str:
        """Why no kernel may be killed here; empty when one may."""
        if self.are_there and self.calibration.mps:
            return "MPS is running, and a client that is killed takes its neighbours' contexts along"
        return ""

    def lists(self, process: ProcessId) -> bool | None:
        """Whether NVML lists a living process on a visible GPU; None where that can't be told."""
        if not self.calibration.sees_processes:
            return None
        ids = self.ids(process)
        seen = [find(self.nvml.read(), uuid) for uuid in self.calibration.visible]
        if any(gpu is not None and listed(gpu, ids) for gpu in seen):
            return True
        return None if any(gpu is None or gpu.processes is None for gpu in seen) else False

    def used_memory(self) -> int | None:
        """Bytes of the visible GPUs that are in use; None where that can't be told."""
        if not self.are_there or not self.calibration.visible:
            return None
        reading = self.nvml.read()
        seen = [find(reading, uuid) for uuid in self.calibration.visible]
        used = [gpu.used if gpu is not None else None for gpu in seen]
        return sum(one for one in used if one is not None) if None not in used else None

    def ids(self, process: ProcessId) -> frozenset[int]:
        """The ids under which NVML may list a process: its own, and those of its threads where it does that."""
        tasks = Path(f"/proc/{process.pid}/task")
        if self.calibration.thread_ids and tasks.is_dir():
            return frozenset(int(task.name) for task in tasks.iterdir())
        return frozenset({process.pid})

    def close(self) -> None:
        """End the helper."""
        self._helper.close()
