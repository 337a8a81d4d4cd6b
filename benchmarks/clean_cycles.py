"""False alarms of the audit: many kernels that leave nothing are started, killed and audited, side by side.

Four processes, each with kernels of its own (without TensorFlow), as under `pytest -n 4`. Every leak that one of
them reports is a false alarm, and so is every place that could not be read.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import time
from collections.abc import Sequence

from benchmarks.figure import Figure
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.trials.auditing import KernelWatch

_CYCLES = 2000
_WORKERS = 4


def measure(python: str) -> list[Figure]:
    """False alarms and blind places in all cycles."""
    began = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(_WORKERS, context) as pool:
        parts = list(pool.map(_work, [python] * _WORKERS, [_CYCLES // _WORKERS] * _WORKERS))
    seconds = time.perf_counter() - began
    took = f"{_WORKERS} workers, {seconds:.0f} s"
    return [
        _figure("false alarms", [leak for leaks, _ in parts for leak in leaks], took),
        _figure("unreadable places", [place for _, blind in parts for place in blind], took),
    ]


def _figure(name: str, found: Sequence[str], took: str) -> Figure:
    some = "; ".join(found[:3])
    detail = f"{took}; {some}" if some else took
    return Figure(f"{name} in {_CYCLES:,} clean cycles", len(found), 0, "", detail)


def _work(python: str, cycles: int) -> tuple[list[str], list[str]]:
    """What is reported in the cycles of one worker."""
    leaks: list[str] = []
    blind: list[str] = []
    with Launcher() as launcher:
        for _ in range(cycles):
            watch = KernelWatch(launcher)
            kernel = watch.start(KernelSpec(python=python, provisioner=ForkServer(preload=())))
            kernel.execute("1 + 1")
            if kernel.inject("sigkill").post_mortem is None:
                raise RuntimeError("the kernel outlived SIGKILL")
            audit = watch.audit(kernel.life)
            kernel.shutdown(now=True)
            leaks += map(str, audit.leaks)
            blind += map(str, audit.blind)
    return leaks, blind
