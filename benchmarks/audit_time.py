"""How long the audit of one kernel's death takes, with few and with many processes on the machine.

Light kernels (no TensorFlow) run a cell, after which it is noted what they hold, and get a SIGKILL. Timed is what
comes then: one look with all probes at what is left. The crowd are processes of others that sleep.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.figure import Figure, spread
from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.trials.auditing import KernelWatch

_DEATHS = 20
# Processes on the machine, and the most milliseconds.
_CROWDS = {100: 10.0, 5000: 80.0}
_SLEEPERS = """
import os, signal, sys
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        signal.pause()
print(flush=True)
sys.stdin.read()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.killpg(0, signal.SIGTERM)
"""


def measure(python: str) -> list[Figure]:
    """The median of 20 deaths for each crowd."""
    figures = []
    for number, target in _CROWDS.items():
        with _crowd(number), Launcher() as launcher:
            # What a first look imports and compiles is no cost of one death.
            _audit(launcher, python)
            seconds = [_audit(launcher, python) for _ in range(_DEATHS)]
            there = len(proc.pids())
        detail = f"{there} processes, {_DEATHS} deaths, {spread(seconds, 1000, ' ms')}"
        name = f"audit of one death, {number:,} processes"
        figures.append(Figure(name, statistics.median(seconds) * 1000, target, "ms", detail))
    return figures


def _audit(launcher: Launcher, python: str) -> float:
    """Seconds that the look after one death takes."""
    watch = KernelWatch(launcher)
    kernel = watch.start(KernelSpec(python=python, provisioner=ForkServer(preload=())))
    try:
        kernel.execute("1 + 1")
        if kernel.inject("sigkill").post_mortem is None:
            raise RuntimeError("the kernel outlived SIGKILL")
        started = time.perf_counter()
        audit = watch.audit(kernel.life)
        seconds = time.perf_counter() - started
    finally:
        kernel.shutdown(now=True)
    if audit.leaks or audit.blind:
        raise RuntimeError(f"a clean death was blamed: {[*map(str, audit.leaks), *map(str, audit.blind)]}")
    return seconds


@contextlib.contextmanager
def _crowd(number: int) -> Iterator[None]:
    """At least so many processes on the machine."""
    missing = max(0, number - len(proc.pids()))
    command = [sys.executable, "-I", "-S", "-c", _SLEEPERS, str(missing)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as sleepers:
        assert sleepers.stdout is not None
        sleepers.stdout.readline()
        yield
