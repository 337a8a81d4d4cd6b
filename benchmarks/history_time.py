"""What the history of 200 runs takes, as text and with its page.

Each document is one as a run of size `standard` writes it, 480 verdicts of 106 trials, with 800 tests besides, of which
a few others fail each time. `python -m pytest_tfkernel history` runs in a process of its own, from the start of its
interpreter to its end. It waits for nothing but the disk, so the figure is CPU time, which other work on the machine
moves less; memory is the most that was resident (wait4(2)).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.figure import Figure, spread
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.store import encode, load

_RUNS_KEPT = 200
_TESTS = 800
_ROUNDS = 5
_MOST_SECONDS = 5.0
_MOST_MB = 300.0
_MB = 1_000_000
_DOCUMENT = Path(__file__).parents[1] / "reference" / "tensorflow-2.21.0.json"


@dataclasses.dataclass(frozen=True)
class ShowingCost:
    """Seconds and bytes of one process."""

    seconds: float
    cpu: float
    memory: int


def measure(_: str) -> list[Figure]:
    """The median CPU time and the largest memory of five rounds."""
    with tempfile.TemporaryDirectory(prefix="tfkernel-bench-") as folder:
        runs = Path(folder, "runs")
        runs.mkdir()
        size = sum(_write(runs / f"{number:03}.json", number) for number in range(_RUNS_KEPT)) / _MB
        shapes = {"as text": [], "with its page": [f"--page={Path(folder, 'page.html')}"]}
        costs = {name: [_show(runs, words) for _round in range(_ROUNDS)] for name, words in shapes.items()}
    figures = []
    for name, found in costs.items():
        cpu, wall = [one.cpu for one in found], [one.seconds for one in found]
        took = f"{spread(cpu, 1, ' s')}; by the clock {spread(wall, 1, ' s')}; {size:.0f} MB of runs"
        memory = [one.memory / _MB for one in found]
        title = f"history of {_RUNS_KEPT} runs {name}, CPU time"
        figures += [
            Figure(title, statistics.median(cpu), _MOST_SECONDS, "s", took),
            Figure(f"memory of that, {name}", max(memory), _MOST_MB, "MB", spread(memory, 1, " MB")),
        ]
    return figures


def _show(runs: Path, words: list[str]) -> ShowingCost:
    argv = [sys.executable, "-m", "pytest_tfkernel", "history", str(runs), *words]
    began = time.monotonic()
    pid = os.posix_spawn(
        argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0o600)]
    )
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - began
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(argv)} ended with {os.waitstatus_to_exitcode(status)}")
    return ShowingCost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _write(path: Path, number: int) -> int:
    """A run of one day, in which each 97th test fails, and others than the day before; its size in bytes."""
    began = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(days=number)
    tests = [
        parts.Test(
            item=f"tests/test_mine.py::test_{each}",
            outcome="failed" if (7 * each + number) % 97 == 0 else "passed",
            seconds=0.01,
        )
        for each in range(_TESTS)
    ]
    run = msgspec.structs.replace(load(_DOCUMENT), began=began.isoformat(), tests=tests)
    return path.write_bytes(msgspec.json.format(encode(run), indent=1))
