"""Limits that bite: a cgroup of the kernel's own, and a cell that needs more than it allows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.kernels.faults import cells
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import FaultNotPossibleError
from pytest_tfkernel.model.kernels import Reply
from pytest_tfkernel.processes.cgroups import MEMORY, PIDS, Cgroup, CgroupUnavailableError

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

OOM_KILL = "oom-kill"
PROCESS_LIMIT = "process-limit"

# What a kernel may take beyond what it holds when the fault strikes.
_HEADROOM = 32 * 1024 * 1024
# The cell gives up beyond this: a limit that doesn't bite must not eat the machine's memory.
_MOST = 1024 * 1024 * 1024
# Threads that may be started beyond those that there are.
_MORE_THREADS = 8
_NO_LIMIT = 1 << 20

_CELL = """\
def _tfkernel_fault():
    import mmap
    held = []
    for _ in range({pieces}):
        piece = mmap.mmap(-1, 1 << 20)
        for offset in range(0, 1 << 20, mmap.PAGESIZE):
            piece[offset] = 1
        held.append(piece)
    raise RuntimeError("touched {pieces} MiB under a limit and was not killed")
_tfkernel_fault()
"""


@dataclass(frozen=True)
class ByMemoryLimit:
    """By the OOM killer: the kernel may take `headroom` bytes more, and a cell takes up to `most`."""

    headroom: int = _HEADROOM
    most: int = _MOST

    def __call__(self, kernel: Kernel, timeout: float | None) -> Reply:
        """Limit the kernel's memory and have it allocate more; it must die of that. Raises FaultNotPossibleError."""
        return kernel.execute(self.limit(kernel), timeout=timeout)

    def limit(self, kernel: Kernel) -> str:
        """Limit the kernel's memory; the cell that takes more.

        A kernel whose spec has a memory limit is in a cgroup already; any other is moved into one, where
        what it held before isn't charged. Raises FaultNotPossibleError.
        """
        pieces = self.most >> 20
        if kernel.spec.memory_limit is None:
            try:
                limit = kernel.spec.process_limit
                cgroup = kernel.new_cgroup((MEMORY,) if limit is None else (MEMORY, PIDS))
                cgroup.limit_memory(self.headroom)
                if limit is not None:
                    # With v2 the kernel leaves the cgroup that has this limit.
                    cgroup.limit_processes(limit)
                kernel.life.join(cgroup)
            except (CgroupUnavailableError, OSError) as error:
                raise FaultNotPossibleError(f"no OOM kill can be made here: {error}") from error
        else:
            pieces += kernel.spec.memory_limit >> 20
        return self.cell(pieces)

    @staticmethod
    def cell(pieces: int) -> str:
        """The cell that takes so many MiB."""
        return _CELL.format(pieces=pieces)


@dataclass(frozen=True)
class ByThreadLimit:
    """By a refused thread: the kernel may have `more` than it has, and a cell starts them until it is told."""

    more: int = _MORE_THREADS
    cell: str = cells.THREAD_EXHAUSTION

    def __call__(self, kernel: Kernel, timeout: float | None) -> Reply:
        """Limit the kernel's threads and have it start more; it must be told, and live.

        The limit is lifted again. Raises FaultNotPossibleError.
        """
        cgroup = self.limit(kernel)
        try:
            return kernel.execute(self.cell, timeout=timeout)
        finally:
            if kernel.is_alive:
                cgroup.limit_processes(kernel.spec.process_limit or _NO_LIMIT)

    def limit(self, kernel: Kernel) -> Cgroup:
        """Limit its threads: the cgroup that has the limit. Raises FaultNotPossibleError."""
        memory = kernel.spec.memory_limit
        try:
            cgroup = kernel.new_cgroup((PIDS,) if memory is None else (MEMORY, PIDS))
            if memory is not None:
                # With v2 the kernel leaves the cgroup that has this limit.
                cgroup.limit_memory(memory)
            kernel.life.join(cgroup)
            cgroup.limit_processes(len(list(Path(f"/proc/{kernel.pid}/task").iterdir())) + self.more)
        except (CgroupUnavailableError, OSError) as error:
            raise FaultNotPossibleError(f"no limit on threads can be set here: {error}") from error
        return cgroup
