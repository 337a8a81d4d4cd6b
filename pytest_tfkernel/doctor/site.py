"""Where an examination looks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_tfkernel.audit.calibration import Platform
from pytest_tfkernel.doctor.findings import Surroundings

# PROC_PID_INIT_INO of the Linux kernel.
_FIRST_NAMESPACE = "pid:[4026531836]"

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - looked at only


@dataclass(frozen=True)
class Site:
    """The machine, its /proc and /dev, and its clock."""

    machine: Platform = field(default_factory=Platform)
    proc: Path = Path("/proc")
    devices: Path = Path("/dev")
    shared_memory: Path = Path(SHARED_MEMORY)
    pid: int = field(default_factory=os.getpid)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @property
    def wanted(self) -> str | None:
        """CUDA_VISIBLE_DEVICES, if it is set."""
        return self.environment.get("CUDA_VISIBLE_DEVICES")

    def is_device(self, path: str) -> bool:
        """Whether an open file is a device of NVIDIA's driver."""
        return path.startswith(f"{self.devices}/nvidia")

    def card(self, path: str) -> int | None:
        """The number of the GPU that a device stands for; None where it stands for all or none."""
        number = path.removeprefix(f"{self.devices}/nvidia")
        return int(number) if self.is_device(path) and number.isdecimal() else None

    def sees_all_processes(self) -> bool:
        """Whether our pid namespace is that of the machine: NVML leaves out the processes of others in silence."""
        try:
            return str((self.proc / "self/ns/pid").readlink()) == _FIRST_NAMESPACE
        except OSError:
            return False

    def whereabouts(self, pid: int) -> str:
        """Why a process that the driver knows isn't in /proc."""
        if not self.sees_all_processes():
            return "not visible here (another pid namespace?)"
        try:
            # Nothing is sent: whether there is one is all that is asked.
            os.kill(pid, 0)
        except PermissionError:
            return "not visible here (/proc is mounted with hidepid): run as root"
        except (OSError, OverflowError):
            return "has ended, but is still listed: a process that it has started may hold its context"
        return "not visible here"

    def surroundings(self) -> Surroundings:
        """The place in which tests would run."""
        try:
            found = os.statvfs(self.shared_memory)
        except OSError:
            return Surroundings(None, self.pid == 1)
        size = found.f_frsize
        return Surroundings((size * found.f_blocks, size * found.f_bavail), self.pid == 1)

    def minors(self) -> dict[str, int]:
        """The number in /dev/nvidiaN of each GPU by its UUID, as far as the driver says."""
        found = {}
        for file in (self.proc / "driver/nvidia/gpus").glob("*/information"):
            try:
                lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                continue
            fields = {name.strip(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
            if "GPU UUID" in fields and fields.get("Device Minor", "").isdigit():
                found[fields["GPU UUID"]] = int(fields["Device Minor"])
        return found
