"""How long `pytest --tfkernel -n 2` takes, in an empty folder, every import of TensorFlow included."""

from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
import tempfile
import time

from benchmarks.figure import Figure

_MOST_SECONDS = 40.0
_NAME = "the suite with -n 2"


def measure(python: str) -> list[Figure]:
    """One run; a suite that fails raises RuntimeError."""
    if importlib.util.find_spec("xdist") is None:
        return [Figure(_NAME, None, _MOST_SECONDS, "s", f"pytest-xdist is not installed for {sys.executable}")]
    argv = [sys.executable, "-m", "pytest", "--tfkernel", "-n", "2"]
    if python != sys.executable:
        argv.append(f"--tfkernel-python={python}")
    with tempfile.TemporaryDirectory(prefix="tfkernel-bench-") as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = (done.stdout + done.stderr).strip().splitlines() or ["nothing was printed"]
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}: {lines[-1]}")
    # Kernels too: each is waited for by its supervisor, and that by its worker.
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [Figure(_NAME, seconds, _MOST_SECONDS, "s", f"{lines[-1].strip('= ')}; {cpu:.0f} s of CPU time")]
