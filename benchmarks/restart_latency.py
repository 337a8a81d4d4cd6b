"""From SIGKILL to "example 1 gives 5.0 again".

The span begins before the signal is sent and ends when 5.0 is in the caller's hands; between them
lie the death, its post-mortem, the restart, the session and its reply. All interpreters and fork
servers run before the first round, and the three ways take turns, so that a slow moment of the
machine hits each of them. What a bare fork is stands in `bare_fork.py`.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, spread
from benchmarks.graph_add import CELL, EXPECTED
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec

_COLD_ROUNDS = 5
_WARM_ROUNDS_EACH = 8
_SMALLEST_SPEEDUP = 20
_MOST_OF_BARE = 2.0


class BareFork:
    """The baseline process; `round()` is one death and rebirth, in seconds."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, "-u", str(Path(__file__).with_name("bare_fork.py")), CELL],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._read()

    def round(self) -> float:
        """Seconds from its SIGKILL to its 5.0."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._read())

    def close(self) -> None:
        """End it and its child."""
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the bare fork ended with {self._process.wait()}")
        return line


@contextlib.contextmanager
def bare_fork(python: str) -> Iterator[BareFork]:
    """The baseline, warm."""
    bare = BareFork(python)
    try:
        yield bare
    finally:
        bare.close()


def kill_and_rerun(kernel: Kernel) -> float:
    """Seconds from a kernel's SIGKILL to its 5.0."""
    started = time.monotonic()
    kernel.inject("sigkill")
    kernel.restart()
    value = kernel.execute(CELL).value
    seconds = time.monotonic() - started
    if value != EXPECTED:
        raise RuntimeError(f"example 1 gave {value!r}")
    return seconds


def measure(python: str) -> list[Figure]:
    """Medians of interleaved rounds: forkserver against subprocess and against a bare fork."""
    cold: list[float] = []
    warm: list[float] = []
    bare: list[float] = []
    with Launcher() as launcher, bare_fork(python) as baseline:
        subprocess_kernel = launcher.start(KernelSpec(provisioner="subprocess", python=python))
        forkserver_kernel = launcher.start(KernelSpec(provisioner="forkserver", python=python))
        for kernel in (subprocess_kernel, forkserver_kernel):
            kernel.execute(CELL)
        for _ in range(_COLD_ROUNDS):
            cold.append(kill_and_rerun(subprocess_kernel))
            for _ in range(_WARM_ROUNDS_EACH):
                warm.append(kill_and_rerun(forkserver_kernel))
                bare.append(baseline.round())
    middle = statistics.median(warm)
    return [
        Figure(
            "SIGKILL to 5.0: forkserver / subprocess",
            middle / statistics.median(cold),
            1 / _SMALLEST_SPEEDUP,
            "x",
            f"subprocess {spread(cold, 1000, ' ms')}",
        ),
        Figure(
            "SIGKILL to 5.0: forkserver / bare fork",
            middle / statistics.median(bare),
            _MOST_OF_BARE,
            "x",
            f"forkserver {spread(warm, 1000, ' ms')}; bare fork {spread(bare, 1000, ' ms')}",
        ),
    ]
