"""How long `pytest --tfkernel -n 2` takes by size, in an empty folder, every import of TensorFlow included.

And which part of its CPU time is not spent in kernels and fork servers: pytest, its workers and the
supervisors measure themselves at their end.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure

_MOST_SECONDS = {"smoke": 15.0, "standard": 110.0, "full": 480.0}
_MOST_PERCENT = 15.0
# Written into the folder: pytest loads it in the controller and in every worker.
_CONFTEST = """
import os, resource
import psutil

def pytest_unconfigure():
    own = resource.getrusage(resource.RUSAGE_SELF)
    seconds = own.ru_utime + own.ru_stime
    for child in psutil.Process().children():
        if "supervisor" in child.cmdline():
            times = child.cpu_times()
            seconds += times.user + times.system
    with open(os.environ["TFKERNEL_BENCH_CPU"], "a") as file:
        file.write(f"{seconds}\\n")
"""


def measure(python: str) -> list[Figure]:
    """One run of each size; a suite that fails raises RuntimeError."""
    if importlib.util.find_spec("xdist") is None:
        reason = f"pytest-xdist is not installed for {sys.executable}"
        return [Figure(f"size {size}, -n 2", None, most, "s", reason) for size, most in _MOST_SECONDS.items()]
    return [figure for size in _MOST_SECONDS for figure in _measure(python, size)]


def _measure(python: str, size: str) -> list[Figure]:
    argv = [sys.executable, "-m", "pytest", "--tfkernel", "-n", "2", f"--tfkernel-size={size}"]
    if python != sys.executable:
        argv.append(f"--tfkernel-python={python}")
    with tempfile.TemporaryDirectory(prefix="tfkernel-bench-") as folder:
        log = Path(folder) / "cpu"
        (Path(folder) / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
        environment = {**os.environ, "TFKERNEL_BENCH_CPU": str(log)}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # What other plugins warn of on stderr comes last only when nothing else was said.
        lines = (done.stderr + done.stdout).strip().splitlines() or ["nothing was printed"]
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}: {lines[-1]}")
        outside = sum(map(float, log.read_text(encoding="utf-8").split()))
    # Kernels too: each is waited for by its supervisor, and that by its worker.
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    detail = f"{lines[-1].strip('= ')}; {cpu:.0f} s of CPU time"
    figures = [Figure(f"size {size}, -n 2", seconds, _MOST_SECONDS[size], "s", detail)]
    # Smoke is over before pytest's own start and end have become a small part of it.
    if size != "smoke":
        share = 100 * outside / cpu
        figures.append(Figure(f"size {size}, CPU outside of kernels", share, _MOST_PERCENT, "%", f"{outside:.1f} s"))
    return figures
