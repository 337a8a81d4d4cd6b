"""A fault that strikes a script, in a phase or after some time."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import FaultError
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer
from pytest_tfkernel.processes.cgroups import MEMORY
from pytest_tfkernel.run import script
from pytest_tfkernel.run.faults import PHASES, Aim, Striking
from pytest_tfkernel.run.refusals import WishError
from pytest_tfkernel.run.script import RunEnd
from pytest_tfkernel.run.wishes import RunWishes
from tests.run.conftest import Idle

StartKernel = Callable[..., Kernel]
# What stands in for TensorFlow has its files where TensorFlow has them.
LIBRARY = {
    "tensorflow/__init__.py": "import tensorflow.python",
    "tensorflow/python/__init__.py": "loaded = True",
    "tensorflow/python/client/session.py": "def run():\n    return 1",
    "tensorflow/python/client/__init__.py": "",
    "tensorflow/python/training/saver.py": "def save():\n    return 1",
    "tensorflow/python/training/__init__.py": "",
    "tensorflow/python/ops/state_ops.py": "def assign():\n    return 1",
    "tensorflow/python/ops/__init__.py": "",
}
SOURCE = """
import atexit, sys
print("begun", flush=True)
from tensorflow.python.client import session
from tensorflow.python.training import saver
from tensorflow.python.ops import state_ops
session.run(); state_ops.assign(); saver.save()
print("done", flush=True)
"""


@pytest.fixture
def strike(start: StartKernel, tmp_path: Path) -> Callable[..., RunEnd]:
    for name, text in LIBRARY.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")

    def run(fault: str, source: str = SOURCE, **spec: Any) -> RunEnd:
        (tmp_path / "script.py").write_text(source, encoding="utf-8")
        kernel = start(**spec)
        wishes = RunWishes(tmp_path / "script.py", (), "python", "forkserver")
        return script.play(kernel.life, wishes, Idle(), Striking(Aim.read(fault), kernel))

    return run


class TestStruck:
    @pytest.mark.parametrize("phase", PHASES)
    def test_in_each_phase(self, strike: Callable[..., RunEnd], phase: str) -> None:
        found = strike(f"sigsegv@{phase}")
        assert found.struck
        assert found.post_mortem.exit_status == ExitStatus(signal=signal.SIGSEGV)
        assert found.post_mortem.killer is Killer.US
        place = {"importing": "python/__init__.py", "running": "in run", "saving": "in save", "assigning": "in assign"}
        assert place.get(phase, "") in found.post_mortem.stack
        assert ("done" in found.post_mortem.stdout) == (phase == "exiting")

    def test_after_some_time(self, strike: Callable[..., RunEnd]) -> None:
        found = strike("sigterm@0.01", "import time; time.sleep(62)")
        assert (found.struck, found.post_mortem.exit_status) == (True, ExitStatus(signal=signal.SIGTERM))

    def test_by_what_runs_in_the_script(self, strike: Callable[..., RunEnd]) -> None:
        assert strike("os-exit-3@running").post_mortem.exit_status == ExitStatus(code=3)
        error = strike("index-error@saving").post_mortem
        assert (error.exit_status, "IndexError" in error.stderr) == (ExitStatus(code=1), True)

    def test_an_interrupt_is_raised_where_it_is(self, strike: Callable[..., RunEnd]) -> None:
        found = strike(
            "interrupt@saving",
            SOURCE.replace("saver.save()", "\ntry: saver.save()\nexcept KeyboardInterrupt: print('caught')"),
        )
        assert (found.post_mortem.exit_status, "caught" in found.post_mortem.stdout) == (ExitStatus(code=0), True)

    @pytest.mark.parametrize("spec", [{}, {"memory_limit": 256 << 20}], ids=["free", "limited"])
    def test_by_the_oom_killer(
        self, strike: Callable[..., RunEnd], needs_cgroup: Callable[[str], None], spec: dict[str, int]
    ) -> None:
        needs_cgroup(MEMORY)
        found = strike("oom-kill@running", **spec).post_mortem
        assert (found.cause, found.killer) == (Cause.OOM_KILL, Killer.OOM_KILLER)


def test_a_script_that_never_comes_there_is_not_struck(strike: Callable[..., RunEnd]) -> None:
    found = strike("sigkill@saving", "print('short')")
    assert (found.struck, found.post_mortem.exit_status) == (False, ExitStatus(code=0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sigkill@idle", "neither seconds nor a phase; a script has importing"),
        ("sigkill@-1", "neither seconds nor a phase"),
        ("sigkill@nan", "neither seconds nor a phase"),
        ("oom-kill@3", "strikes in a phase: --fault=oom-kill@importing"),
        ("os-exit-3", "strikes in a phase"),
        ("thread-exhaustion@running", "can't strike a script"),
        ("cuda-fault@running", "may harm other users"),
    ],
)
def test_what_cannot_be_is_one_line_that_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(WishError, match=words):
        Aim.read(text)


def test_a_fault_that_is_unknown_is_told_with_those_there_are() -> None:
    with pytest.raises(FaultError, match="choose from sigkill"):
        Aim.read("unicorn@3")


def test_a_signal_without_a_time_strikes_after_one_second() -> None:
    assert Aim.read("sigkill").place == "after 1 s"
    assert Aim.read("sigstop@2").seconds == 2.0
    assert Aim.read("hang@running").place == "in phase 'running'"
