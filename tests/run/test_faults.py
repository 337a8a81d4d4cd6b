"""A fault that strikes a script, in a phase or after some time."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.faults.fault import Fault
from pytest_tfkernel.kernels.faults.limits import OOM_KILL, PROCESS_LIMIT
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import FaultError
from pytest_tfkernel.model.faults import Dies
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer
from pytest_tfkernel.processes.cgroups import MEMORY, PIDS
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
# What becomes of each fault without a time, after seconds, and in each phase: when it strikes, or what is said.
_SIGNAL = ["after 1 s", "after 2.5 s", *(f"in phase {phase!r}" for phase in PHASES)]
_NEEDS = "needs all of TensorFlow, so it strikes in a phase: {0}@running, {0}@assigning, {0}@saving, {0}@exiting"
_HARMS = "may harm other users of the GPU: play it with pytest --tfkernel --tfkernel-allow={0}"


def _in_tensorflow(name: str) -> list[str]:
    needs = _NEEDS.format(name)
    return ["in phase 'running'", needs, needs, *(f"in phase {phase!r}" for phase in PHASES[1:])]


FORMS = {
    **dict.fromkeys(
        ["sigkill", "sigterm", "sigsegv", "sigabrt", "sigbus", "sigill", "exit", "os-exit-0", "os-exit-3"], _SIGNAL
    ),
    **dict.fromkeys(["index-error", "index-error-script"], _SIGNAL),
    "tf-index-error": _in_tensorflow("tf-index-error"),
    "oom-kill": _SIGNAL,
    "oom-tensor": _in_tensorflow("oom-tensor"),
    **dict.fromkeys(["oom-memory-error", "hang", "hang-gil", "sigstop", "interrupt", "stack-overflow"], _SIGNAL),
    **dict.fromkeys(["fd-exhaustion", "thread-exhaustion"], _SIGNAL),
    **{name: [_HARMS.format(name)] * 7 for name in ("oom-gpu", "cuda-fault")},
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

    def run(fault: str, source: str = SOURCE, timeout: float = math.inf, **spec: Any) -> RunEnd:
        (tmp_path / "script.py").write_text(source, encoding="utf-8")
        kernel = start(**spec)
        wishes = RunWishes(tmp_path / "script.py", (), "python", "forkserver", timeout=timeout)
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

    @pytest.mark.parametrize(
        "fault", [one for one in menu.FAULTS if FORMS[one.name][0] == "after 1 s"], ids=lambda one: one.name
    )
    def test_after_some_time(
        self, strike: Callable[..., RunEnd], fault: Fault, needs_cgroup: Callable[[str], None]
    ) -> None:
        for need in fault.requires:
            needs_cgroup({OOM_KILL: MEMORY, PROCESS_LIMIT: PIDS}[need])
        expected = fault.expects
        is_stuck = isinstance(expected, Dies) and expected.cause is Cause.DEADLINE
        found = strike(f"{fault.name}@0", "import time\nwhile True: time.sleep(62)", 0.5 if is_stuck else math.inf)
        dead = found.post_mortem
        assert found.struck
        if isinstance(expected, Dies):
            assert (dead.exit_status, dead.cause, dead.killer) == (expected.status, expected.cause, expected.killer)
        else:
            end = ExitStatus(signal=signal.SIGINT) if fault.name == "interrupt" else ExitStatus(code=1)
            assert (dead.exit_status, expected.errors[0] in dead.stderr) == (end, True)
        assert "_child" not in dead.stderr

    def test_what_is_raised_at_its_exit_ends_nothing(self, strike: Callable[..., RunEnd]) -> None:
        for fault, said in (("index-error@exiting", True), ("exit@exiting", False)):
            dead = strike(fault).post_mortem
            assert (dead.exit_status, "IndexError" in dead.stderr) == (ExitStatus(code=0), said)
            assert "_child" not in dead.stderr

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
        ("sigkill@1@2", "neither seconds nor a phase"),
        ("sigkill@ running", "neither seconds nor a phase"),
    ],
)
def test_what_is_no_time_is_one_line_that_says_what_there_is(text: str, words: str) -> None:
    with pytest.raises(WishError, match=words):
        Aim.read(text)


def _told(text: str) -> str:
    try:
        return Aim.read(text).place
    except WishError as refused:
        return str(refused)


@pytest.mark.parametrize("fault", menu.FAULTS, ids=lambda one: one.name)
def test_each_fault_strikes_in_each_form_or_says_what_is_possible(fault: Fault) -> None:
    expected = FORMS[fault.name]
    told = [_told(f"{fault.name}{form}") for form in ("", "@", "@2.5", *(f"@{phase}" for phase in PHASES))]
    assert told[0] == told[1]
    for found, words in zip(told[1:], expected, strict=True):
        assert words in found
        assert "\n" not in found


def test_the_table_is_that_of_the_menu() -> None:
    assert [*FORMS] == [one.name for one in menu.FAULTS]


class TestChecked:
    @pytest.mark.parametrize(
        ("text", "where", "words"),
        [
            ("hang", "", "--fault=hang would never end: .*--timeout=60"),
            ("hang-gil@running", "", "would never end"),
            ("sigstop@3", "", "would never end"),
            ("sigstop@3", "a notebook", "would never end"),
            ("sigkill@running", "a notebook", "in a notebook a fault strikes by time: --fault=sigkill@5"),
            ("os-exit-3@2", "a notebook", "in a notebook only a signal can strike: sigkill, .*sigstop, interrupt$"),
            ("tf-index-error", "a spyder kernel", "in a spyder kernel only a signal can strike"),
        ],
    )
    def test_what_does_not_go_together(self, text: str, where: str, words: str) -> None:
        with pytest.raises(WishError, match=words):
            Aim.read(text).check(where, has_end=False)

    @pytest.mark.parametrize(
        ("text", "where"), [("hang", ""), ("sigstop@3", "a notebook"), ("interrupt", "a jupyter kernel")]
    )
    def test_what_does(self, text: str, where: str) -> None:
        Aim.read(text).check(where, has_end=True)


def test_a_fault_that_is_unknown_is_told_with_those_there_are() -> None:
    with pytest.raises(FaultError, match="choose from sigkill"):
        Aim.read("unicorn@3")


def test_a_signal_without_a_time_strikes_after_one_second() -> None:
    assert Aim.read("sigkill").place == "after 1 s"
    assert Aim.read("sigstop@2").seconds == 2.0
    assert Aim.read("hang@running").place == "in phase 'running'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sigkill@saving", "it never was in phase 'saving'"),
        ("sigkill@2", "it had ended before 2 s were over"),
        ("os-exit-3", "it had ended before 1 s were over, or its main thread was in native code all the time"),
    ],
)
def test_why_one_has_not_struck_is_told(text: str, words: str) -> None:
    assert Aim.read(text).missed == words
