"""From the pidfd's report of a death to the post-mortem in the test's hands.

The report is that of an observer, a process of its own that polls its own pidfd, or the word of
the supervisor if that came first. Two deaths are told apart: one that the test causes and waits
for (`inject`), and one that happens under a running cell (`execute` raises KernelDied). The
kernels are warm ones that have run example 1.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figure import Figure, spread
from benchmarks.graph_add import CELL
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelDied
from pytest_tfkernel.model.kernels import KernelSpec

_DEATHS = 50
_MOST_MILLISECONDS = 5.0


class Watch:
    """The observer."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("death_watch.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, pid: int) -> None:
        """Watch a process; returns when it is watched."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{pid}\n")
        self._process.stdin.flush()
        self._read()

    def seen(self) -> float:
        """When its death was reported."""
        return float(self._read())

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def killed_while_idle(kernel: Kernel) -> None:
    """SIGKILL from outside; returns with the post-mortem."""
    if kernel.inject("sigkill").post_mortem is None:
        raise RuntimeError("the kernel outlived SIGKILL")


def killed_in_a_cell(kernel: Kernel) -> None:
    """A cell that kills its own process; returns with the post-mortem."""
    try:
        kernel.execute("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    except KernelDied:
        return
    raise RuntimeError("the kernel outlived SIGKILL")


def measure(python: str) -> list[Figure]:
    """The median of 50 deaths, for each of the two ways."""
    watch = Watch()
    try:
        with Launcher() as launcher:
            kernel = launcher.start(KernelSpec(python=python))
            ways = {"killed while idle": killed_while_idle, "killed in a cell": killed_in_a_cell}
            return [_figure(name, [_latency(kernel, way, watch) for _ in range(_DEATHS)]) for name, way in ways.items()]
    finally:
        watch.close()


def _latency(kernel: Kernel, die: Callable[[Kernel], None], watch: Watch) -> float:
    """Seconds from the report to the post-mortem; the next generation runs afterwards."""
    kernel.execute(CELL)
    watch.begin(kernel.pid)
    die(kernel)
    in_hand = time.monotonic()
    told = kernel.life.died_at
    report = watch.seen() if told is None else min(watch.seen(), told)
    kernel.restart()
    return in_hand - report


def _figure(name: str, latencies: list[float]) -> Figure:
    return Figure(
        f"death to post-mortem, {name}",
        statistics.median(latencies) * 1000,
        _MOST_MILLISECONDS,
        "ms",
        f"{_DEATHS} deaths, {spread(latencies, 1000, ' ms')}",
    )
