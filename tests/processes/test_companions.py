"""Helpers: processes that do what might hang or crash."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import handles
from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.processes.companions import Helper
from pytest_tfkernel.processes.supervisor import Supervisor

# Stands for the bindings of NVML: what they do is what a test says.
BINDINGS = """
import os, signal, sys, time
def nvmlInit(): pass
def nvmlShutdown(): pass
def nvmlSystemGetDriverVersion():
    exec(os.environ["TFKERNEL_TEST"])
    return "1"
def nvmlSystemGetCudaDriverVersion_v2(): return 1
def nvmlDeviceGetCount(): return 0
"""
READ = {"op": "read"}


@pytest.fixture
def helper(launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Helper]]:
    """A helper that does something before it answers."""
    (tmp_path / "pynvml.py").write_text(BINDINGS)
    monkeypatch.syspath_prepend(tmp_path)
    helpers = []

    def helper(action: str) -> Helper:
        environment = os.environ | {"TFKERNEL_TEST": action}
        helpers.append(Helper("nvml", launcher.supervisor, launcher.new_lease, environment))
        return helpers[-1]

    yield helper
    for one in helpers:
        one.close()


def pid_of(helper: Helper) -> int:
    assert helper.process is not None
    return helper.process.pid


def test_nothing_is_started_before_it_is_asked(helper: Callable[[str], Helper]) -> None:
    one = helper("pass")
    assert one.process is None
    assert not one.close()


def test_one_process_answers_all_questions(helper: Callable[[str], Helper]) -> None:
    one = helper("pass")
    assert one.ask(READ, 30.0)["kind"] == "reading"
    pid = pid_of(one)
    assert proc.command_line(pid).endswith("_child nvml")
    assert one.ask(READ, 30.0)["kind"] == "reading"
    assert pid_of(one) == pid


def test_an_end_is_an_end(helper: Callable[[str], Helper], launcher: Launcher) -> None:
    one = helper("import subprocess; subprocess.Popen(['sleep', '61'], start_new_session=True)")
    one.ask(READ, 30.0)
    lease = proc.lease_of(pid_of(one))
    assert lease is not None
    assert len(launcher.supervisor.members(lease)) == 2
    assert not one.close()
    assert launcher.supervisor.members(lease) == []
    assert one.process is None
    assert not one.close()


def test_what_does_not_answer_in_time_is_ended(helper: Callable[[str], Helper], tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    one = helper(f"time.sleep(60 if os.path.exists({str(slow)!r}) else 0)")
    one.ask(READ, 30.0)
    pid = pid_of(one)
    slow.touch()
    assert one.ask(READ, 0.2) == {"kind": "failed", "error": "no answer within 0.2 s", "hung": True}
    assert proc.start_time(pid) is None
    slow.unlink()
    assert one.ask(READ, 30.0)["kind"] == "reading"
    assert pid_of(one) != pid


def test_what_ignores_everything_is_ended_all_the_same(helper: Callable[[str], Helper]) -> None:
    one = helper("signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); time.sleep(60)")
    answer = one.ask(READ, 1.0)
    assert (answer["hung"], answer["error"]) == (True, "no answer within 1 s")
    assert one.process is None


def test_what_cannot_be_ended_is_told(helper: Callable[[str], Helper], monkeypatch: pytest.MonkeyPatch) -> None:
    one = helper("time.sleep(60)")
    end = one._supervisor.end
    # A process that waits in the driver is there after a SIGKILL, too.
    monkeypatch.setattr(Supervisor, "end", lambda *arguments: [*end(*arguments[1:]), "somebody"])
    answer = one.ask(READ, 1.0)
    assert answer == {
        "kind": "failed",
        "error": "no answer within 1 s, and the nvml helper can't be ended: it waits in the driver",
        "hung": True,
    }
    # Another one would be stuck as well.
    assert one.ask(READ, 30.0) == answer
    assert one.process is None


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("print('first'); print('last words'); os._exit(3)", "it died of exit code 3; its last words: last words"),
        ("os.abort()", "it died of SIGABRT"),
        ("sys.exit('goodbye')", "it died of exit code 1; its last words: goodbye"),
    ],
)
def test_what_dies_is_told_with_its_last_words(helper: Callable[[str], Helper], action: str, words: str) -> None:
    answer = helper(action).ask(READ, 30.0)
    assert (answer["kind"], answer["hung"]) == ("failed", False)
    assert answer["error"].startswith("the nvml helper ended: ")
    assert words in answer["error"]


def test_a_dead_one_is_started_anew(helper: Callable[[str], Helper], await_death: Callable[[int], None]) -> None:
    one = helper("pass")
    one.ask(READ, 30.0)
    pid = pid_of(one)
    os.kill(pid, signal.SIGKILL)
    await_death(pid)
    assert one.ask(READ, 30.0)["kind"] == "failed"
    assert one.ask(READ, 30.0)["kind"] == "reading"
    assert pid_of(one) != pid


def test_an_answer_to_an_interrupted_question_is_dropped(
    helper: Callable[[str], Helper], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = helper("pass")
    one.ask(READ, 30.0)
    assert one._companion is not None
    one._companion.channel.send({"op": "read", "id": -1})
    answer = one.ask(READ, 30.0)
    assert (answer["kind"], answer["id"]) == ("reading", 1)


def test_a_torn_channel_is_a_failure(helper: Callable[[str], Helper]) -> None:
    one = helper("os.write(3, b'\\x7f\\xff\\xff\\xffrubbish')")
    answer = one.ask(READ, 30.0)
    assert (answer["kind"], answer["hung"]) == ("failed", True)
    assert "a frame is longer than" in answer["error"]
    assert one.process is None


def test_an_interpreter_that_is_missing_is_a_failure(launcher: Launcher) -> None:
    one = Helper("nvml", launcher.supervisor, launcher.new_lease, python="/nonexistent/python")
    answer = one.ask(READ, 30.0)
    assert (answer["kind"], answer["hung"]) == ("failed", False)
    assert "/nonexistent/python could not be started" in answer["error"]


def test_without_a_supervisor_there_is_no_answer(tmp_path: Path) -> None:
    with Launcher() as launcher:
        one = Helper("sentinel", launcher.supervisor, launcher.new_lease)
        late = Helper("sentinel", launcher.supervisor, launcher.new_lease)
        assert one.ask({"op": "devices"}, 30.0)["kind"] in {"failed", "devices"}
        pid = pid_of(one)
    for helper in (one, late):
        answer = helper.ask({"op": "devices"}, 30.0)
        assert (answer["kind"], answer["hung"]) == ("failed", False)
    assert not one.close()
    assert proc.start_time(pid) is None


def test_nothing_stays_open(helper: Callable[[str], Helper]) -> None:
    one = helper("os._exit(1)")
    with handles.none_stays():
        for _ in range(3):
            one.ask(READ, 30.0)


def test_sentinels_have_no_driver_here(launcher: Launcher, tmp_path: Path) -> None:
    one = Helper("sentinel", launcher.supervisor, launcher.new_lease, os.environ | {"LD_LIBRARY_PATH": str(tmp_path)})
    (tmp_path / "libcuda.so.1").touch()
    answer = one.ask({"op": "devices"}, 30.0)
    one.close()
    assert answer["error"].startswith("OSError: ")
