"""What a warm kernel weighs: its share of memory (PSS) after example 1, with eight of them alive.

PSS divides a page by the number of processes that share it, the fork server among them.
"""

from __future__ import annotations

from benchmarks.figure import Figure, spread
from benchmarks.graph_add import CELL
from benchmarks.processes import memory
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec

_KERNELS = 8
_MOST_MEGABYTES = 60.0
_MEGABYTE = 1e6


def measure(python: str) -> list[Figure]:
    """The heaviest of eight."""
    with Launcher() as launcher:
        kernels = [launcher.start(KernelSpec(python=python)) for _ in range(_KERNELS)]
        for kernel in kernels:
            kernel.execute(CELL)
        shares = [memory(kernel.pid, "Pss") / _MEGABYTE for kernel in kernels]
    detail = f"{_KERNELS} kernels, {spread(shares, 1, ' MB')}"
    return [Figure("PSS of a warm kernel, the heaviest", max(shares), _MOST_MEGABYTES, "MB", detail)]
