from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_tfkernel import __main__ as program
from pytest_tfkernel._child import proc
from pytest_tfkernel.doctor import command, examine, idle
from pytest_tfkernel.doctor.examine import worst
from pytest_tfkernel.doctor.findings import Fulfilment, RequirementResult
from pytest_tfkernel.doctor.show import printable
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.capabilities import capabilities
from pytest_tfkernel.machine.gpus import Gpus

MET, NOT_MET, UNKNOWN, LOST = Fulfilment


@pytest.fixture
def all_ended(eventually: Callable[[Callable[[], object]], None]) -> Iterator[None]:
    """A doctor that is through leaves its supervisor, and threads, to end after it: wait for that."""
    before = {one["pid"] for one in proc.descendants(os.getpid())}
    threads = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(60)
    eventually(lambda: all(one["pid"] in before or one["state"] == "Z" for one in proc.descendants(os.getpid())))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [([], MET), ([MET, NOT_MET], NOT_MET), ([UNKNOWN, NOT_MET, MET], UNKNOWN), ([LOST, UNKNOWN], LOST)],
)
def test_the_worst_answer_counts(answers: list[Fulfilment], expected: Fulfilment) -> None:
    assert worst([RequirementResult("x", answer) for answer in answers]) is expected


def test_text_of_others_stays_on_its_line() -> None:
    assert printable("a\tb\n\x1b\udcff\u202e ü") == "a\\tb\\n\\x1b\\udcff\\u202e ü"


@pytest.mark.usefixtures("all_ended")
def test_an_error_of_ours_is_no_answer() -> None:
    code = """
import sys
from pytest_tfkernel import __main__ as program
from pytest_tfkernel.doctor import command, examine

command._SECONDS = 600.0

def fail(*_):
    raise RuntimeError("two\\nlines")

examine.examine = fail
sys.exit(program.main(["doctor", "--require=gpu-idle"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (UNKNOWN.value, "")
    assert done.stderr == "doctor: can't tell: RuntimeError: two\\nlines\n"


@pytest.mark.usefixtures("all_ended")
def test_helpers_that_cannot_be_ended_are_not_waited_for() -> None:
    # What waits in the driver lets the supervisor wait for 10 s.
    code = """
import sys, time
from pytest_tfkernel import __main__ as program
from pytest_tfkernel.doctor import command, idle
from pytest_tfkernel.kernels.launcher import Launcher

command._SECONDS = idle.READ_SECONDS = 600.0
close = Launcher.close
Launcher.close = lambda self: (close(self), time.sleep(600))
sys.exit(program.main(["doctor", "--require=gpu-idle"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in {answer.value for answer in Fulfilment}
    assert "gpu-idle: " in done.stdout + done.stderr
    assert "no answer" not in done.stderr


@pytest.mark.usefixtures("all_ended")
def test_what_hangs_for_ever_is_given_up(eventually: Callable[[Callable[[], object]], None]) -> None:
    code = """
import sys, time
from pytest_tfkernel import __main__ as program
from pytest_tfkernel.doctor import idle

idle.occupancy = idle.watch = lambda *_: time.sleep(600)
sys.exit(program.main(["doctor", "--require=gpu-idle"]))
"""
    folder = Path(tempfile.gettempdir())
    before = set(folder.iterdir())
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (UNKNOWN.value, "")
    # Its supervisor ends after it, and removes what it left.
    eventually(lambda: set(folder.iterdir()) <= before)
    assert done.stderr == "gpu-idle: can't tell: no answer within 1.85 s: NVML or /proc hangs\n"


def test_a_hook_has_its_answer_before_two_seconds_have_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[float, list[float]]] = []

    class Timer:
        def __init__(self, seconds: float, _: object, arguments: list[float]) -> None:
            started.append((seconds, arguments))

        def start(self) -> None:
            pass

    monkeypatch.setattr("threading.Timer", Timer)
    # As old as it is when it gets there: at most a second is taken off, whatever the clock says.
    for age in (0.0, 0.5, 1.0):
        monkeypatch.setattr(command, "_age", lambda age=age: age)
        command._start_timer(30.0)
        (seconds, (whole,)) = started.pop()
        assert whole == seconds + age < 30.0 + 2.0
    assert 0 <= idle.READ_SECONDS < command._SECONDS


def test_everything_that_can_be_asked_for_is_known(launcher: Launcher) -> None:
    gpus = Gpus(launcher)
    names = [one.name for one in capabilities(launcher.interpreter(sys.executable), gpus)]
    gpus.close()
    assert [*names, "gpu-idle"] == list(examine.NAMES)


def test_without_a_command_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main([])
    assert ended.value.code == 2
    assert "required: COMMAND" in capsys.readouterr().err
