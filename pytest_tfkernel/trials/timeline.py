"""The timeline of a trial: what its kernel held at each moment that matters."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.trials import Moment

# Cells come often, and pages and tables are read by people.
_MOST = 200
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Timeline:
    """Begins with the trial. `gpu_memory` tells how much of the GPUs' memory is used, where they can be asked."""

    def __init__(
        self, gpu_memory: Callable[[], int | None] = lambda: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gpu_memory = gpu_memory
        self._clock = clock
        self._began = clock()
        self._moments: list[Moment] = []

    @property
    def moments(self) -> tuple[Moment, ...]:
        """All of them, in order of time."""
        return tuple(sorted(self._moments, key=lambda moment: moment.seconds))

    def reached(self, name: str, process: ProcessId | None = None, at: float | None = None) -> None:
        """Note a moment: now, or an earlier one by the same clock; with what the process holds, if it lives."""
        # The last look before a fault is that of the fault.
        is_double = name == "cell" and self._moments and self._moments[-1].name == "fault"
        if is_double or len(self._moments) >= _MOST:
            return
        seconds = (self._clock() if at is None else at) - self._began
        memory, threads, handles = _held(process) if process is not None else (None, None, None)
        gpu = self._gpu_memory() if process is not None else None
        self._moments.append(Moment(name, seconds, memory, threads, handles, gpu))


def _held(process: ProcessId) -> tuple[int | None, int | None, int | None]:
    """Resident memory in bytes, threads and descriptors of a process; None where it is gone (proc(5))."""
    folder = Path(f"/proc/{process.pid}")
    try:
        memory = int((folder / "statm").read_bytes().split()[1]) * _PAGE
        return memory, len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir()))
    except (OSError, IndexError):
        return None, None, None
