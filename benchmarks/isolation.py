"""What a process of its own costs a test, against a plain run and against pytest-forked.

Files of tests that each run a Session, with TensorFlow imported at the file's top, inside each test, or with a tensor
at the top, on which pytest-forked hangs. All ways take turns, in rounds; a figure is the ratio of the medians of the
wall time of whole runs, and the CPU time stands beside it. pytest-forked runs on pytest 8 only: it is measured where
TFKERNEL_BENCH_FORKED names an interpreter that has it, TensorFlow and no pytest-tfkernel.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import Figure, number

_ROUNDS = 3
_FEW, _MANY = 10, 200
_NO_TENSORFLOW = "TensorFlow is not installed here"
_NO_FORKED = "TFKERNEL_BENCH_FORKED names no interpreter with pytest-forked"
_TEST = """
{top}
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_session(number):
    {inside}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        assert session.run(tf.constant(2.0) + 3.0) == 5.0
"""
_IMPORT = "import tensorflow as tf"
_FILES = {
    "top": _TEST.format(top=_IMPORT, inside="pass", tests=_FEW),
    "inside": _TEST.format(top="", inside=_IMPORT, tests=_FEW),
    "tensor": _TEST.format(top=f"{_IMPORT}\nsome = tf.constant(1.0)", inside="pass", tests=_FEW),
    "many": _TEST.format(top=_IMPORT, inside="pass", tests=_MANY),
    "light": f"import pytest\n@pytest.mark.parametrize('number', range({_MANY}))\ndef test(number): pass\n",
}
_PLAIN: tuple[str, ...] = ()
_FILE, _TESTS, _FORKED = ("--tfkernel-isolate=file",), ("--tfkernel-isolate=test",), ("--forked",)


@dataclass(frozen=True)
class Ratio:
    """One way of running a file against another: at most so many times as long."""

    file: str
    way: tuple[str, ...]
    against: tuple[str, ...]
    most: float


_RATIOS = (
    Ratio("top", _TESTS, _FORKED, 1.0),
    Ratio("inside", _TESTS, _FORKED, 0.25),
    Ratio("tensor", _TESTS, _PLAIN, 1.3),
    Ratio("top", _FILE, _PLAIN, 1.1),
    Ratio("inside", _FILE, _PLAIN, 1.1),
    Ratio("tensor", _FILE, _PLAIN, 1.1),
    Ratio("many", _FILE, _PLAIN, 1.05),
    Ratio("many", _TESTS, _FORKED, 1.15),
)
# Milliseconds that a test takes more than in a plain run, at most.
_ADDED = {"many": 80.0, "light": 35.0}


@dataclass(frozen=True)
class RunCost:
    """Seconds of one run with all of its processes."""

    wall: float
    cpu: float


def run(python: str, folder: Path, *words: str) -> RunCost:
    """One pytest of its own. Raises RuntimeError where a test fails."""
    argv = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    began, log = time.monotonic(), folder / "log.txt"
    with log.open("wb") as output:
        actions = [(os.POSIX_SPAWN_DUP2, output.fileno(), target) for target in (1, 2)]
        environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
        pid = os.posix_spawn(python, argv, environment, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(argv)}: {log.read_text(errors='replace')[-2000:]}")
    return RunCost(time.monotonic() - began, usage.ru_utime + usage.ru_stime)


def ways(file: str) -> Iterator[tuple[str, ...]]:
    """Those that some figure of this file needs."""
    found = {way for ratio in _RATIOS if ratio.file == file for way in (ratio.way, ratio.against)}
    found |= {_PLAIN, _TESTS} if file in _ADDED else set()
    return iter(sorted(found))


def costs(file: str, folder: Path, forked: str | None) -> Mapping[tuple[str, ...], list[RunCost]]:
    """What each way of running a file took, in turns."""
    path = folder / f"test_{file}.py"
    path.write_text(_FILES[file], encoding="utf-8")
    found: dict[tuple[str, ...], list[RunCost]] = {}
    for _ in range(_ROUNDS):
        for way in ways(file):
            python = forked if way is _FORKED or way == _FORKED else sys.executable
            if python is not None:
                found.setdefault(way, []).append(run(python, folder, *way, str(path)))
    return found


def _median(costs: list[RunCost], clock: str) -> float:
    return statistics.median([cost.wall if clock == "wall" else cost.cpu for cost in costs])


def _ratio(ratio: Ratio, found: Mapping[tuple[str, ...], list[RunCost]]) -> Figure:
    name = f"isolation, {ratio.file}: {_words(ratio.way)} against {_words(ratio.against)}"
    one, other = found.get(ratio.way), found.get(ratio.against)
    if one is None or other is None:
        return Figure(name, None, ratio.most, "x", _NO_FORKED)
    detail = "; ".join(
        f"{clock}: {number(_median(one, clock))} s to {number(_median(other, clock))} s" for clock in ("wall", "cpu")
    )
    return Figure(name, _median(one, "wall") / _median(other, "wall"), ratio.most, "x", detail)


def _words(way: tuple[str, ...]) -> str:
    return " ".join(way).replace("--tfkernel-isolate", "isolate").replace("--forked", "pytest-forked") or "plain"


def measure(_: str) -> list[Figure]:
    if importlib.util.find_spec("tensorflow") is None:
        return [Figure("isolation", None, 0.0, "x", _NO_TENSORFLOW)]
    forked = os.environ.get("TFKERNEL_BENCH_FORKED")
    figures = []
    with tempfile.TemporaryDirectory(prefix="tfkernel-bench-") as name:
        for file in _FILES:
            found = costs(file, Path(name), forked)
            figures += [_ratio(ratio, found) for ratio in _RATIOS if ratio.file == file]
            if file in _ADDED:
                wall, plain = (_median(found[way], "wall") for way in (_TESTS, _PLAIN))
                detail = f"{number(wall)} s to {number(plain)} s for {_MANY} tests"
                added = 1000 * (wall - plain) / _MANY
                figures.append(Figure(f"isolation, {file}: added to a test", added, _ADDED[file], "ms", detail))
    return figures
