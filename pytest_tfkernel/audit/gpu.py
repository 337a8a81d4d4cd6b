"""The GPU as the audit sees it: readings of NVML, and how long it takes until a death shows in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_tfkernel.audit import readings
from pytest_tfkernel.model.gpus import Gpu, GpuRelease, Reading

READ_SECONDS = 10.0

# Memory is given back by the driver some time after the exit. It has settled when it stays the same.
_EQUAL_READS = 3
_PAUSE = 0.1
# One reading may fail on a busy machine; a driver that is gone stays so.
_FAILED_READS = 3
_SETTLE_SECONDS = 30.0
# What the driver itself keeps or gives back when contexts come and go.
_SLACK = 8 << 20


class Asks(Protocol):
    """A helper process that answers requests (`kernels.helpers.Helper`).

    What gives no answer in time answers {"kind": "failed", "error", "hung"}.
    """

    def ask(self, message: Mapping[str, object], seconds: float) -> dict[str, Any]:
        """The answer to one request."""


@dataclass(frozen=True)
class Nvml:
    """Readings of NVML, made at a distance; one that takes longer than `seconds` is given up."""

    helper: Asks
    seconds: float = READ_SECONDS

    def read(self) -> Reading:
        """One reading; what went wrong is in it."""
        return readings.parse(self.helper.ask({"op": "read"}, self.seconds))


def find(reading: Reading, uuid: str) -> Gpu | None:
    """The device or MIG instance with this UUID, whose prefix (`GPU-`, `MIG-`) doesn't matter."""
    return next((gpu for gpu in reading.gpus if bare(gpu.uuid) == bare(uuid)), None)


def bare(uuid: str) -> str:
    """A UUID without its prefix: NVML writes it, and the driver API doesn't know of it."""
    # Drivers before 470 wrote MIG-GPU-UUID/1/0.
    return uuid.lower().removeprefix("mig-").removeprefix("gpu-")


def listed(gpu: Gpu, ids: Collection[int]) -> bool:
    """Whether one of these ids is in the device's list of processes."""
    return any(process.pid in ids for process in gpu.processes or ())


@dataclass(frozen=True)
class Settling:
    """Waits until readings show that a process is gone, by convergence."""

    nvml: Nvml
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    seconds: float = _SETTLE_SECONDS
    pause: float = field(default=_PAUSE)

    def wait(self, uuid: str, ids: Collection[int], baseline: int | None) -> GpuRelease:
        """Until none of `ids` is listed and the memory in use is back at `baseline` (bytes), if that is given.

        Both must hold in three readings in a row that are equal; `seconds` of the result is when the first of
        them was made. Gives up after 30 s.
        """
        began = self.clock()
        same, first, last, failures = 0, began, None, 0
        while True:
            now = self.clock()
            reading = self.nvml.read()
            gpu = find(reading, uuid)
            if gpu is None or gpu.processes is None:
                failures += 1
                if failures < _FAILED_READS:
                    self.sleep(self.pause)
                    continue
                why = reading.error or "; ".join(reading.lost) or (gpu.processes_error if gpu else f"{uuid} is gone")
                return GpuRelease(None, now - began, baseline, error=f"NVML could not be read: {why}")
            failures = 0
            seen = (listed(gpu, ids), gpu.used if baseline is not None else None)
            same, first = (same + 1, first) if seen == last else (1, now)
            last = seen
            is_back = baseline is None or gpu.used is None or gpu.used <= baseline + _SLACK
            if same >= _EQUAL_READS and not seen[0] and is_back:
                return GpuRelease(seen[0], first - began, baseline, gpu.used)
            if now - began > self.seconds:
                return GpuRelease(seen[0], now - began, baseline, gpu.used)
            self.sleep(self.pause)
