"""What a run document costs: one run writes it, and then all of its parts are written once more and timed.

The conversion of observations is part of it, since the parts are encoded and decoded as they are between a worker and
its controller. The target is a share of the run's own time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.figure import Figure
from pytest_tfkernel.report.document import FORMAT, SCHEMA, Document, End, Start, Trial
from pytest_tfkernel.report.store import Writer, clean, load

_ROUNDS = 5
_MOST_PERCENT = 2.0


def measure(python: str) -> list[Figure]:
    """Percent of a run of size smoke, the least costly one to be written beside."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        words = [
            "--tfkernel",
            "--tfkernel-size=smoke",
            "-n",
            "2",
            f"--tfkernel-python={python}",
            "-p",
            "no:cacheprovider",
        ]
        subprocess.run(
            [sys.executable, "-m", "pytest", *words, f"--tfkernel-report={path}"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        run = load(path)
        took = min(_write(run, path) for _ in range(_ROUNDS))
    whole = run.end.seconds if run.end is not None else 0.0
    detail = f"{took * 1000:.1f} ms for {len(run.trials)} trials and {len(run.verdicts)} verdicts of {whole:.1f} s"
    return [Figure("run document, share of a run of size `smoke`", 100 * took / whole, _MOST_PERCENT, "%", detail)]


def _write(run: Document, path: Path) -> float:
    began = time.perf_counter()
    start = Start(format=FORMAT, schema=SCHEMA, began=run.began, environment=run.environment)
    writer = Writer(path, start)
    for trial in run.trials:
        writer.add(msgspec.convert(clean(msgspec.to_builtins(trial)), Trial))
    for verdict in run.verdicts:
        writer.add(verdict)
    writer.finish(run.end or End(seconds=0, exit_code=0, collected=0))
    return time.perf_counter() - began
