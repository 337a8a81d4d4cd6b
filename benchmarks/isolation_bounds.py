"""What isolation keeps to, however long a run is.

No test costs more than an earlier one, a second worker helps as much as without us, a hang ends at its deadline with
all that it has started, and pytest's own process stays small.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

from benchmarks.figure import Figure, number
from benchmarks.sessions import notes, read, run

_ROUNDS, _FILES, _MANY, _SOME = 3, 8, 200, 20
_MIB = 1 << 20
_OURS = ("-p", "no:isolated")
_TOP = """
import pytest
import tensorflow as tf

@pytest.mark.parametrize("number", range({}))
def test_session(number):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        assert session.run(tf.constant(2.0) + 3.0) == 5.0
"""
_HANG = """
import os, subprocess, sys, time
import pytest

@pytest.mark.tfkernel_isolated(timeout=5)
def test_hangs():
    for number in range(1, 30):
        try: os.set_inheritable(number, True)
        except OSError: pass
    code = "import subprocess; subprocess.Popen(['sleep', '1097'], close_fds=False, start_new_session=True)"
    subprocess.run([sys.executable, "-c", code], close_fds=False, env={})
    time.sleep(1000)
"""


def measure(_: str) -> list[Figure]:
    if importlib.util.find_spec("tensorflow") is None:
        return [Figure("isolation, bounds", None, 0.0, "x", "TensorFlow is not installed here")]
    with tempfile.TemporaryDirectory(prefix="tfkernel-bench-") as name:
        folder = Path(name)
        return [_trend(folder), _workers(folder), *_hang(folder), _memory(folder)]


def _trend(folder: Path) -> Figure:
    """The last tests of many against the first, each in a process of its own."""
    path = folder / "test_trend.py"
    path.write_text(_TOP.format(_MANY), encoding="utf-8")
    ratios = []
    for _ in range(_ROUNDS):
        environment, noted = notes(folder)
        run(sys.executable, folder, *_OURS, "--tfkernel-isolate=test", str(path), environment=environment)
        began = read(noted)["began"]
        # Not the very first one, whose process no other test has paid for.
        first, last = began[1 + _SOME] - began[1], began[-1] - began[-1 - _SOME]
        ratios.append((last / first, first, last))
    ratio, first, last = min(ratios)
    detail = f"{1000 * last / _SOME:.0f} ms a test to {1000 * first / _SOME:.0f} ms; all rounds: " + ", ".join(
        number(one[0]) for one in sorted(ratios)
    )
    return Figure(f"isolation, {_MANY} tests apart: the last {_SOME} against the first", ratio, 1.1, "x", detail)


def _workers(folder: Path) -> Figure:
    """What a second worker gains, by file, against what it gains without us."""
    inner = folder / "files"
    inner.mkdir()
    for number_ in range(_FILES):
        (inner / f"test_{number_}.py").write_text(_TOP.format(10), encoding="utf-8")
    taken: dict[tuple[str, ...], list[float]] = {}
    for _ in range(_ROUNDS):
        for mode in ("off", "file"):
            for workers in ("1", "2"):
                words = (f"--tfkernel-isolate={mode}", "-n", workers)
                cost = run(sys.executable, inner, *_OURS, *words, "--dist=loadfile", str(inner))
                taken.setdefault(words, []).append(cost.wall)
    gains = {
        mode: min(taken[f"--tfkernel-isolate={mode}", "-n", "1"]) / min(taken[f"--tfkernel-isolate={mode}", "-n", "2"])
        for mode in ("off", "file")
    }
    detail = f"-n 2 is {number(gains['file'])} times as fast as -n 1, and {number(gains['off'])} times in a plain run"
    return Figure(
        f"isolation, {_FILES} files: gain of a second worker, plain against ours",
        gains["off"] / gains["file"],
        1.0,
        "x",
        detail,
    )


def _hang(folder: Path) -> list[Figure]:
    """How long a hang of 5 s takes, and who survives it."""
    path = folder / "test_hang.py"
    path.write_text(_HANG, encoding="utf-8")
    taken, survivors = [], 0
    for _ in range(_ROUNDS):
        environment, noted = notes(folder)
        run(sys.executable, folder, *_OURS, "--tfkernel-isolate", str(path), fails=True, environment=environment)
        found = read(noted)
        taken.append(found["ended"][0] - found["began"][0])
        survivors += sum("sleep\x001097" in _command(pid) for pid in Path("/proc").iterdir() if pid.name.isdigit())
    what = "isolation, deadline of 5 s, a grandchild holds the pipes"
    detail = "all rounds: " + ", ".join(number(one) for one in sorted(taken))
    return [Figure(what, min(taken), 5.5, "s", detail), Figure(f"{what}: survivors", survivors, 0, "")]


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _memory(folder: Path) -> Figure:
    """The most memory of pytest's own process, against that of one without tests."""
    empty = folder / "test_none.py"
    empty.write_text("", encoding="utf-8")
    peaks = []
    for path in (empty, folder / "test_trend.py"):
        environment, noted = notes(folder)
        run(sys.executable, folder, *_OURS, "--tfkernel-isolate=test", str(path), fails=True, environment=environment)
        peaks.append(max(read(noted)["peak"]))
    detail = f"{peaks[1] / _MIB:.0f} MiB to {peaks[0] / _MIB:.0f} MiB, with {_MANY} tests that use TensorFlow"
    return Figure(
        "isolation, pytest's own process: more memory than without tests",
        (peaks[1] - peaks[0]) / _MIB,
        60.0,
        "MiB",
        detail,
    )
