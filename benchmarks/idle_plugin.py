"""What the plugin costs a session that doesn't use it.

`pytest --collect-only` of an empty folder, with the plugin and with `-p no:tfkernel`, four sessions
a round in the order with, without, without, with. The figure is the median, over the rounds, of
the CPU time (user and system, wait4(2)) of the two sessions with the plugin against that of the
two without: what slows the machine for a while slows all four. The wall time stands beside it.
The package must be installed where this runs: it is found by its entry point, as at a user's.
Once with bytecode, and once as in a container whose image sets PYTHONDONTWRITEBYTECODE: pytest compiles modules of
plugins anew in each session then. That is measured on a copy of the package, of which no bytecode was ever written.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest_tfkernel
from benchmarks.figure import Figure, spread

_ROUNDS = 40
_WARM_UP = 1
_MOST_PERCENT = 3.0
_NAME = "idle plugin, added CPU time"
_WITHOUT_BYTECODE = f"{_NAME} without bytecode"
_NO_TESTS = 5
_WITHOUT = ("-p", "no:tfkernel")


@dataclass(frozen=True)
class Cost:
    """Seconds of one session."""

    cpu: float
    wall: float


def session(folder: str, *options: str, changes: Mapping[str, str]) -> Cost:
    """One pytest session of its own, with changes to its environment."""
    argv = [sys.executable, "-m", "pytest", "--collect-only", "-q", *options]
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment.update(changes)
    started = time.monotonic()
    devnull = os.open(os.devnull, os.O_RDWR)
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir(folder)
            for descriptor in (0, 1, 2):
                os.dup2(devnull, descriptor)
            os.execve(argv[0], argv, environment)
        finally:
            os._exit(127)
    os.close(devnull)
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - started
    if os.waitstatus_to_exitcode(status) != _NO_TESTS:
        raise RuntimeError(f"{' '.join(argv)} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(usage.ru_utime + usage.ru_stime, wall)


def measure(_: str) -> list[Figure]:
    """The median of the rounds."""
    try:
        importlib.metadata.distribution("pytest-tfkernel")
    except importlib.metadata.PackageNotFoundError:
        why = f"pytest-tfkernel is not installed for {sys.executable}: pip install -e . there"
        return [Figure(_NAME, None, _MOST_PERCENT, "%", why)]
    with tempfile.TemporaryDirectory(prefix="tfkernel-bench-") as folder, tempfile.TemporaryDirectory() as copy:
        package = Path(pytest_tfkernel.__file__).parent
        shutil.copytree(package, Path(copy) / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        path = os.pathsep.join(filter(None, (copy, os.environ.get("PYTHONPATH"))))
        return [
            _figure(_NAME, folder, {}),
            _figure(_WITHOUT_BYTECODE, folder, {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": path}),
        ]


def _figure(name: str, folder: str, changes: Mapping[str, str]) -> Figure:
    turns = [
        [session(folder, *options, changes=changes) for options in ((), _WITHOUT, _WITHOUT, ())]
        for _turn in range(_WARM_UP + _ROUNDS)
    ]
    rounds = turns[_WARM_UP:]
    cpu = [added(*(cost.cpu for cost in costs)) for costs in rounds]
    wall = [added(*(cost.wall for cost in costs)) for costs in rounds]
    without = [cost.cpu for costs in rounds for cost in costs[1:3]]
    detail = f"{spread(cpu, 1, ' %')}; without it {spread(without, 1000, ' ms')}; wall time {spread(wall, 1, ' %')}"
    return Figure(name, statistics.median(cpu), _MOST_PERCENT, "%", detail)


def added(with_1: float, without_1: float, without_2: float, with_2: float) -> float:
    """Percent that the plugin adds, from one round."""
    return 100 * (with_1 + with_2) / (without_1 + without_2) - 100
