"""What tests leave whose process died, in the words of the gate."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inner import Inner, counts
from pytest_tfkernel.gate.aftermath import Dead
from pytest_tfkernel.model.processes import Leftover, ProcessId
from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.plugin.isolation.gating import Gating
from pytest_tfkernel.plugin.isolation.peers import ProcessDeath

DEATH = ProcessDeath(
    SimpleNamespace(process=ProcessId(7, 70)),  # type: ignore[arg-type]
    claims='["/tmp/one", "temporary-file"]\n["/tmp/two", "nonsense"]\n7\n["/tmp/thr',
)
LEFT = [Leftover(ProcessId(8, 80), 1, "S", "sleep 61"), Leftover(ProcessId(9, 90), 1, "Z", "")]


class Gate:
    def __init__(self) -> None:
        self.told: list[Dead] = []

    def tell_dead(self, _item: object, _report: object, dead: Dead) -> str:
        self.told.append(dead)
        return "left behind"


def gating(gate: object) -> Gating:
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=lambda _: gate))
    return Gating(config)


def test_the_gate_is_told_what_there_is() -> None:
    gate, item, report = Gate(), Any, Any
    one = gating(gate)
    assert one.is_on
    assert one.tell(item, report, DEATH, LEFT) == "left behind"  # type: ignore[arg-type]
    (dead,) = gate.told
    assert dead.paths == {"/tmp/one": Kind.FILE}
    assert dead.pids == {7, 8, 9}
    assert [str(left) for left in dead.left] == ["process 8 (sleep 61)", "zombie 9 (no command line)"]


@pytest.mark.parametrize("gate", [None, SimpleNamespace()])
def test_without_it_nothing_is_looked_at(gate: object) -> None:
    one = gating(gate)
    assert not one.is_on
    one.begin(Any)  # type: ignore[arg-type]
    one.ended()
    assert one.tell(Any, Any, DEATH, LEFT) == ""  # type: ignore[arg-type]


LEAVES = """
import os, subprocess, sys, tempfile
import pytest
SLEEP = [sys.executable, "-c", "import time; time.sleep(61)"]
BEFORE = tempfile.NamedTemporaryFile(prefix="at-import-", delete=False)
def make(name): open(os.path.join(tempfile.gettempdir(), name), "w").close()
def escape():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: os.execv(SLEEP[0], [*SLEEP, "escaped"])
        os._exit(0)
    os.wait()
def test_lives():
    subprocess.Popen([*SLEEP, "lives"], start_new_session=True)
    make("of-one-that-lives")
def test_leaves_nothing():
    make("removed")
    os.unlink(os.path.join(tempfile.gettempdir(), "removed"))
def test_dies():
    escape()
    make("of-a-dead-one")
    tempfile.mkdtemp(prefix="folder-")
    os._exit(1)
def test_after(): pass
@pytest.mark.tfkernel_dies(3)
@pytest.mark.tfkernel_allow_leak("temporary-file", reason="known")
def test_allowed():
    make("allowed")
    os._exit(3)
@pytest.mark.tfkernel_dies(3)
def test_leaves_nothing_and_dies(): os._exit(3)
"""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Not the folder for temporary files, which is above that of the tests, and nothing there counts."""
    made = tmp_path / "temporary"
    made.mkdir()
    return made


@pytest.mark.uncovered
def test_dead_and_living_tests_are_judged_as_unisolated_ones(inner: Inner, temporary: Path) -> None:
    inner.write("test_one.py", LEAVES)
    run = inner.run("--tfkernel-isolate", "--tfkernel-gate", "-rA", "-p", "no:cacheprovider", TMPDIR=str(temporary))
    assert counts(run) == {"passed": 5, "failed": 1, "errors": 2}
    text = run.stdout.str()
    errors = text[text.index("= ERRORS =") : text.index("= FAILURES =")]
    _, lives, dies = errors.split("ERROR at teardown of ")
    assert "left behind: process" in lives
    assert f"left behind: temporary-file {temporary}/of-one-that-lives (made by pytest itself)" in lives
    made = "(made by its process, which is dead)"
    assert f"left behind: temporary-file {temporary}/of-a-dead-one {made}" in dies
    assert dies.count(f"left behind: temporary-file {temporary}/folder-") == 1
    assert dies.count("left behind: process") == dies.count("time.sleep(61) escaped)") / 2 == 1
    assert "If that is meant to be: @pytest.mark.tfkernel_allow_leak(" in dies
    # What one has left that lived was told where it ended, though its process is ended with this one.
    assert "left behind: process" not in dies.partition("time.sleep(61) escaped")[2]
    # They are forks, and what came before them is told once.
    assert "6 tests in 3 processes (3 forked, 0 cold" in text
    assert text.count(f"{temporary}/at-import-") == 1
    assert "it appeared outside of tests" in text


def test_where_it_only_warns_it_is_listed(inner: Inner, temporary: Path) -> None:
    inner.write("test_one.py", LEAVES)
    arguments = ("--tfkernel-isolate=test", "--tfkernel-gate=warn", "-n", "2", "-k", "dies")
    run = inner.run(*arguments, TMPDIR=str(temporary))
    assert counts(run) == {"passed": 2, "failed": 1}
    run.stdout.fnmatch_lines(
        ["*tfkernel gate*", "test_one.py::test_dies", f"  left behind: temporary-file {temporary}/*"]
    )
