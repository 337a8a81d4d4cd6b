"""What `--tfkernel-gate` adds to a test.

Sessions of many tests that do next to nothing, with the gate and without it, in turns. Each test is timed from
outside of all other hooks, from before its setup to after its teardown. The figure is the median with the gate
less the median without it, in CPU time of the thread that runs tests: looking at what is left waits for nothing
where nothing is. The wall time stands beside it. Measured again with more processes on the machine, and, where it
is installed, with TensorFlow in use by pytest's process (its threads, handles and mappings).
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import Figure, spread

_TESTS = 200
_ROUNDS = 4
_WARM_UP = 10
_CROWD = 400
_MOST_MS = 5.0
_NAME = "gate, added to a test"
_SETTINGS = ((), ("--tfkernel-gate",))

_CONFTEST = """
import json, os, time
from pathlib import Path
import pytest

took = []

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    cpu, wall = time.thread_time(), time.perf_counter()
    try:
        return (yield)
    finally:
        took.append((time.thread_time() - cpu, time.perf_counter() - wall))

def pytest_unconfigure():
    Path(os.environ["TIMES"]).write_text(json.dumps(took))
"""
_TEST = """
import pytest

@pytest.mark.parametrize("number", range({number}))
def test_little(number, tmp_path):
    (tmp_path / "one.txt").write_text("one")
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of one test."""

    cpu: float
    wall: float


def session(folder: Path, *options: str) -> list[Cost]:
    """What each test of a session took."""
    times = folder / "times.json"
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", *options]
    environment = os.environ | {"TIMES": str(times), "PYTEST_DEBUG_TEMPROOT": str(folder)}
    subprocess.run(argv, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    costs = [Cost(*one) for one in json.loads(times.read_text(encoding="utf-8"))]
    # The first ones import and compile.
    return costs[_WARM_UP:]


def added(name: str, folder: Path) -> Figure:
    """Milliseconds that the gate adds at the median."""
    costs: dict[tuple[str, ...], list[Cost]] = {options: [] for options in _SETTINGS}
    for _ in range(_ROUNDS):
        for options in _SETTINGS:
            costs[options] += session(folder, *options)
    (cpu, cpu_with), (wall, wall_with) = (
        [[getattr(cost, clock) for cost in costs[options]] for options in _SETTINGS] for clock in ("cpu", "wall")
    )
    words = (
        f"with the gate {spread(cpu_with, 1000, ' ms')}, without {spread(cpu, 1000, ' ms')};"
        f" wall time with {spread(wall_with, 1000, ' ms')}, without {spread(wall, 1000, ' ms')}"
    )
    return Figure(name, 1000 * (statistics.median(cpu_with) - statistics.median(cpu)), _MOST_MS, "ms", words)


def measure(_: str) -> list[Figure]:
    figures = []
    with tempfile.TemporaryDirectory(prefix="tfkernel-bench-") as name:
        folder = Path(name)
        (folder / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
        (folder / "test_little.py").write_text(_TEST.format(number=_TESTS), encoding="utf-8")
        figures.append(added(_NAME, folder))
        sleepers = [subprocess.Popen(["sleep", "600"]) for _ in range(_CROWD)]
        try:
            figures.append(added(f"{_NAME}, {_CROWD} more processes", folder))
        finally:
            for sleeper in sleepers:
                sleeper.kill()
                sleeper.wait()
        if importlib.util.find_spec("tensorflow") is not None:
            used = f"import tensorflow as tf\ntf.constant(1)\n{_CONFTEST}"
            (folder / "conftest.py").write_text(used, encoding="utf-8")
            figures.append(added(f"{_NAME}, TensorFlow in use", folder))
    return figures
