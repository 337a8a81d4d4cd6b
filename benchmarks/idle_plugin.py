"""What the plugin costs a session that doesn't use it.

`pytest --collect-only` of an empty folder, with the plugin and with `-p no:tfkernel`, in turns
(ABBA). Compared is CPU time (user and system, wait4(2)), which other processes disturb least; the
wall time stands beside it. The package must be installed where this runs: it is found by its entry
point, as at a user's.
"""

from __future__ import annotations

import importlib.metadata
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass

from benchmarks.figure import Figure, spread

_ROUNDS = 40
_WARM_UP = 2
_MOST_PERCENT = 3.0
_NAME = "idle plugin, added CPU time"
_NO_TESTS = 5


@dataclass(frozen=True)
class Cost:
    """Seconds of one session."""

    cpu: float
    wall: float


def session(folder: str, *options: str) -> Cost:
    """One pytest session of its own."""
    argv = [sys.executable, "-m", "pytest", "--collect-only", "-q", *options]
    started = time.monotonic()
    devnull = os.open(os.devnull, os.O_RDWR)
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir(folder)
            for descriptor in (0, 1, 2):
                os.dup2(devnull, descriptor)
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    os.close(devnull)
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - started
    if os.waitstatus_to_exitcode(status) != _NO_TESTS:
        raise RuntimeError(f"{' '.join(argv)} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(usage.ru_utime + usage.ru_stime, wall)


def measure(_: str) -> list[Figure]:
    """Medians of 80 sessions of each kind."""
    try:
        importlib.metadata.distribution("pytest-tfkernel")
    except importlib.metadata.PackageNotFoundError:
        why = f"pytest-tfkernel is not installed for {sys.executable}: pip install -e . there"
        return [Figure(_NAME, None, _MOST_PERCENT, "%", why)]
    with_plugin: list[Cost] = []
    without: list[Cost] = []
    with tempfile.TemporaryDirectory(prefix="tfkernel-bench-") as folder:
        for turn in range(_WARM_UP + _ROUNDS):
            costs = [session(folder, *options) for options in ((), ("-p", "no:tfkernel"), ("-p", "no:tfkernel"), ())]
            if turn >= _WARM_UP:
                with_plugin += [costs[0], costs[3]]
                without += costs[1:3]
    cpu, cpu_without = [cost.cpu for cost in with_plugin], [cost.cpu for cost in without]
    wall = added([cost.wall for cost in with_plugin], [cost.wall for cost in without])
    detail = f"with {spread(cpu, 1000, ' ms')}; without {spread(cpu_without, 1000, ' ms')}; wall time {wall:+.1f} %"
    return [Figure(_NAME, added(cpu, cpu_without), _MOST_PERCENT, "%", detail)]


def added(with_plugin: list[float], without: list[float]) -> float:
    """Percent that the one median lies above the other."""
    return 100 * (statistics.median(with_plugin) / statistics.median(without) - 1)
