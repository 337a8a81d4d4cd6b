"""What the comparison of two large run documents takes.

Each document has 10,000 verdicts of 5,000 trials, each with its death and eight moments, and 10,000 tests. Half of the
trials differ in some way. `python -m pytest_tfkernel compare` runs in a process of its own, from the start of its
interpreter to its end; time is the wall clock's, memory the most that was resident (wait4(2)).
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.figure import Figure, spread
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.store import Writer

_VERDICTS = 10_000
_RUNS = 7
_MOST_SECONDS = 1.0
_MOST_MB = 200.0
_MB = 1_000_000
_MOMENTS = ("started", "cell", "fault", "death", "noticed", "settled", "restarted", "rebuilt")
_GUARANTEES = ("process-is-new", "session-is-rebuilt")
_WORSE = 1


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds and bytes of one process."""

    seconds: float
    cpu: float
    memory: int


def measure(_: str) -> list[Figure]:
    """The median time and the largest memory of seven runs."""
    with tempfile.TemporaryDirectory(prefix="tfkernel-bench-") as folder:
        paths = [Path(folder, f"{name}.json") for name in ("ref", "changed")]
        for path, differs in zip(paths, (False, True), strict=True):
            _write(path, differs=differs)
        costs = [_compare(paths, Path(folder, "out")) for _run in range(_RUNS)]
        size = paths[0].stat().st_size / _MB
    seconds = [cost.seconds for cost in costs]
    cpu = [cost.cpu for cost in costs]
    memory = [cost.memory / _MB for cost in costs]
    what = f"{_VERDICTS:,} verdicts, {_VERDICTS // 2:,} trials, {_VERDICTS:,} tests, {size:.0f} MB each"
    took = f"{spread(seconds, 1, ' s')}; CPU time {spread(cpu, 1, ' s')}"
    return [
        Figure(
            "comparing two documents of 10,000 records",
            statistics.median(seconds),
            _MOST_SECONDS,
            "s",
            f"{took}; {what}",
        ),
        Figure("memory of that", max(memory), _MOST_MB, "MB", spread(memory, 1, " MB")),
    ]


def _compare(paths: list[Path], out: Path) -> Cost:
    argv = [sys.executable, "-m", "pytest_tfkernel", "compare", *map(str, paths)]
    target = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    began = time.monotonic()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, target, 1)])
    os.close(target)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) != _WORSE:
        raise RuntimeError(f"{' '.join(argv)} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _write(path: Path, *, differs: bool) -> None:
    """A document; where it `differs`, each second trial has another exit status, and each tenth verdict fails."""
    label = "tf2.21.0-py3.11" if differs else "tf2.20.0-py3.11"
    machine = parts.Machine(linux="6.1.0", architecture="x86_64", cpus=2, memory=24 << 30)
    kernel = parts.Kernel(label=label, executable="/opt/python", python="3.11.7", tensorflow=label[2:8])
    environment = parts.Environment(machine=machine, kernels=[kernel])
    began = "2026-01-01T00:00:00Z"
    writer = Writer(path, parts.Start(format=parts.FORMAT, schema=parts.SCHEMA, began=began, environment=environment))
    killed = parts.Death(signal="SIGKILL", cause="signal", killer="us", peak_memory=200 << 20, report="killed\n" * 20)
    ended = msgspec.structs.replace(killed, signal=None, code=3)
    timeline = [
        parts.Moment(name=name, seconds=place * 0.05, memory=(100 + place) << 20, threads=9, handles=12)
        for place, name in enumerate(_MOMENTS)
    ]
    for number in range(_VERDICTS // 2):
        setting = parts.Setting(
            kernel=label, provisioner="forkserver", example="graph_add", fault=f"fault{number}", phase="idle"
        )
        death = ended if differs and number % 2 else killed
        writer.add(parts.Trial(setting=setting, seconds=0.4, result=5.0, death=death, timeline=timeline))
        for guarantee in _GUARANTEES:
            verdict: parts.StateWord = "FAIL" if differs and not number % 10 else "PASS"
            item = f"tfkernel::{guarantee}[{number}]"
            reason = f"the process {number} lives" if verdict == "FAIL" else ""
            writer.add(parts.Verdict(guarantee=guarantee, setting=setting, item=item, verdict=verdict, reason=reason))
    for number in range(_VERDICTS):
        writer.add(parts.Test(item=f"tests/test_mine.py::test_{number}", outcome="passed", seconds=0.1))
    writer.finish(parts.End(seconds=12.0, exit_code=0, collected=2 * _VERDICTS))
