"""What a process of its own costs a test, against a plain run and against other plugins.

Files of tests that each run a Session, with TensorFlow imported at the file's top, inside each test, or beside a tensor
at the top, where each multiplies two matrices: what takes more than one thread hangs in a fork of a process that had
them. All ways take turns, in rounds; a figure is the ratio of the shortest of whole runs, and the CPU time stands
beside it. pytest-forked and pytest-isolate run on pytest 8 only: each is measured where a variable names an interpreter
that has it, TensorFlow and no pytest-tfkernel. pytest-isolated has to be installed beside us.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import Figure, number
from benchmarks.sessions import SessionCost, best, run

_ROUNDS = 3
# Of a run that takes longer one is enough, and one that takes very long never ends.
_LONG, _ENDLESS = 30.0, 90.0
_FEW, _MANY = 10, 200
_NO_TENSORFLOW = "TensorFlow is not installed here"
_TEST = """
{top}
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_session(number):
    {inside}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        assert {holds}
"""
_ADDS = "session.run(tf.constant(2.0) + 3.0) == 5.0"
_MULTIPLIES = "session.run(tf.reduce_sum(tf.ones((500, 500)) @ tf.random.uniform((500, 500)))) > 0"
_IMPORT = "import tensorflow as tf"
_FILES = {
    "top": _TEST.format(top=_IMPORT, inside="pass", holds=_ADDS, tests=_FEW),
    "inside": _TEST.format(top="", inside=_IMPORT, holds=_ADDS, tests=_FEW),
    "tensor": _TEST.format(top=f"{_IMPORT}\nsome = tf.constant(1.0)", inside="pass", holds=_MULTIPLIES, tests=_FEW),
    "many": _TEST.format(top=_IMPORT, inside="pass", holds=_ADDS, tests=_MANY),
    "light": f"import pytest\n@pytest.mark.parametrize('number', range({_MANY}))\ndef test(number): pass\n",
}


@dataclass(frozen=True)
class Way:
    """How tests are run: by these words, and by an interpreter that a variable names, unless it is our own."""

    name: str
    words: tuple[str, ...] = ()
    variable: str = ""

    @property
    def python(self) -> str | None:
        """None where there is none."""
        return os.environ.get(self.variable) if self.variable else sys.executable


_NO_OTHER = ("-p", "no:isolated")
_PLAIN = Way("plain", _NO_OTHER)
_FILE, _TESTS = (Way(f"isolate={mode}", (f"--tfkernel-isolate={mode}", *_NO_OTHER)) for mode in ("file", "test"))
_FORKED = Way("pytest-forked", ("--forked", "-p", "no:timeout"), "TFKERNEL_BENCH_FORKED")
_ISOLATE = Way("pytest-isolate", ("--isolate", "-p", "no:timeout"), "TFKERNEL_BENCH_ISOLATE")
_ISOLATED = Way("pytest-isolated", ("--isolated",))
_OTHERS = (_FORKED, _ISOLATE, _ISOLATED)


@dataclass(frozen=True)
class Ratio:
    """One way of running a file against another: at most so many times as long."""

    file: str
    way: Way
    against: Way
    most: float


_RATIOS = (
    Ratio("top", _TESTS, _FORKED, 1.0),
    Ratio("top", _TESTS, _ISOLATE, 1.0),
    Ratio("top", _TESTS, _ISOLATED, 1.0),
    Ratio("inside", _TESTS, _FORKED, 0.25),
    Ratio("inside", _TESTS, _ISOLATE, 0.25),
    Ratio("inside", _TESTS, _ISOLATED, 0.25),
    Ratio("tensor", _TESTS, _PLAIN, 1.3),
    Ratio("tensor", _TESTS, _FORKED, 1.0),
    Ratio("tensor", _TESTS, _ISOLATE, 1.0),
    Ratio("tensor", _TESTS, _ISOLATED, 1.0),
    Ratio("top", _FILE, _PLAIN, 1.1),
    Ratio("inside", _FILE, _PLAIN, 1.1),
    Ratio("tensor", _FILE, _PLAIN, 1.1),
    Ratio("many", _FILE, _PLAIN, 1.05),
    Ratio("many", _TESTS, _FORKED, 1.15),
    Ratio("many", _TESTS, _ISOLATE, 1.15),
)
# Milliseconds that a test takes more than in a plain run, at most.
_ADDED = {"many": 80.0, "light": 35.0}


def ways(file: str) -> Sequence[Way]:
    """Those that some figure of this file needs."""
    found = {way: None for ratio in _RATIOS if ratio.file == file for way in (ratio.way, ratio.against)}
    return list(found | (dict.fromkeys((_PLAIN, _TESTS)) if file in _ADDED else {}))


def costs(file: str, folder: Path) -> Mapping[Way, list[SessionCost]]:
    """What each way of running a file took, in turns."""
    path = folder / f"test_{file}.py"
    path.write_text(_FILES[file], encoding="utf-8")
    found: dict[Way, list[SessionCost]] = {}
    for _ in range(_ROUNDS):
        for way in ways(file):
            before = found.setdefault(way, [])
            if way.python is not None and not any(cost.wall > _LONG for cost in before):
                before.append(run(way.python, folder, *way.words, str(path), most=_ENDLESS, fails=way in _OTHERS))
    return found


def _ratio(ratio: Ratio, found: Mapping[Way, list[SessionCost]]) -> Figure:
    name = f"isolation, {ratio.file}: {ratio.way.name} against {ratio.against.name}"
    one, other = found[ratio.way], found[ratio.against]
    if not other:
        return Figure(name, None, ratio.most, "x", f"{ratio.against.variable} names no interpreter")
    last = other[-1]
    if last.ended:
        return Figure(name, None, ratio.most, "x", f"{ratio.against.name} had not ended after {_ENDLESS:.0f} s")
    lines = last.text.strip().splitlines() or [""]
    if "failed" in lines[-1] or "error" in lines[-1]:
        return Figure(name, None, ratio.most, "x", f"{ratio.against.name}: {lines[-1]}")
    detail = "; ".join(
        f"{clock}: {number(best(one, clock))} s to {number(best(other, clock))} s" for clock in ("wall", "cpu")
    )
    return Figure(name, best(one) / best(other), ratio.most, "x", detail)


def measure(_: str) -> list[Figure]:
    if importlib.util.find_spec("tensorflow") is None:
        return [Figure("isolation", None, 0.0, "x", _NO_TENSORFLOW)]
    figures = []
    with tempfile.TemporaryDirectory(prefix="tfkernel-bench-") as name:
        for file in _FILES:
            found = costs(file, Path(name))
            figures += [_ratio(ratio, found) for ratio in _RATIOS if ratio.file == file]
            if file in _ADDED:
                wall, plain = (best(found[way]) for way in (_TESTS, _PLAIN))
                detail = f"{number(wall)} s to {number(plain)} s for {_MANY} tests"
                added = 1000 * (wall - plain) / _MANY
                figures.append(Figure(f"isolation, {file}: added to a test", added, _ADDED[file], "ms", detail))
    return figures
