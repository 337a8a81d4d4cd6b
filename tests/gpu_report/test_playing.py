from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.gpu_report.playing import INTERRUPTED, OVER, Player
from pytest_tfkernel.gpu_report.writing import ReportError
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.processes import ExitStatus, ProcessId

SAYS = "import sys\nprint('out', flush=True)\nprint('err', file=sys.stderr)\nsys.exit(3)"
# Ends in order when it is interrupted, as pytest does.
POLITE = """
import time
try:
    print("ready", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print("wrote what it has seen", flush=True)
    raise SystemExit(2)
"""
# Hears nothing, and has a child that has left its session.
DEAF = """
import os, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def over(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., None]
) -> list[float]:
    """The time of a command is over as soon as it is ready; the seconds for which its death was waited for."""
    death_of, asked = launcher.supervisor.death_of, list[float]()

    def wait(process: ProcessId, seconds: float) -> object:
        asked.append(seconds)
        if len(asked) > 1:
            return death_of(process, seconds)
        eventually(lambda: "ready" in (tmp_path / "log").read_text())
        return None

    monkeypatch.setattr(launcher.supervisor, "death_of", wait)
    return asked


def test_what_is_printed_is_in_files_and_how_it_ended_is_known(launcher: Launcher, tmp_path: Path) -> None:
    ended = Player(launcher).play([sys.executable, "-c", SAYS], tmp_path / "out", tmp_path / "log", 300.0)
    assert (ended.status, ended.stopped) == (ExitStatus(code=3), "")
    assert (tmp_path / "out").read_text() == "out\n"
    assert (tmp_path / "log").read_text() == "err\n"


def test_both_can_be_one_file(launcher: Launcher, tmp_path: Path) -> None:
    Player(launcher).play([sys.executable, "-c", SAYS], tmp_path / "log", tmp_path / "log", 300.0)
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_it_is_elsewhere_and_no_pytest_of_another(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    code = "import os\nprint(os.getcwd(), [name for name in os.environ if name.startswith('PYTEST_')])"
    Player(launcher).play([sys.executable, "-c", code], tmp_path / "log", tmp_path / "log", 300.0)
    assert (tmp_path / "log").read_text() == f"{launcher.temporary} []\n"


def test_at_the_end_of_its_time_it_can_end_in_order(launcher: Launcher, tmp_path: Path, over: list[float]) -> None:
    log = tmp_path / "log"
    ended = Player(launcher, grace=300.0).play([sys.executable, "-c", POLITE], log, log, 77.0)
    assert (ended.status, ended.stopped) == (ExitStatus(code=2), OVER)
    assert log.read_text() == "ready\nwrote what it has seen\n"
    assert over[0] == 77.0


@pytest.mark.usefixtures("over")
def test_what_hears_nothing_is_killed_with_all_that_it_started(launcher: Launcher, tmp_path: Path) -> None:
    log = tmp_path / "log"
    before = {one["pid"] for one in proc.descendants(launcher.supervisor.pid)}
    ended = Player(launcher, grace=0.1).play([sys.executable, "-c", DEAF], log, log, 77.0)
    assert (ended.status, ended.stopped) == (ExitStatus(signal=9), OVER)
    assert {one["pid"] for one in proc.descendants(launcher.supervisor.pid)} <= before


def test_an_interruption_interrupts_it(
    launcher: Launcher, tmp_path: Path, eventually: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, main, waits = tmp_path / "log", threading.get_ident(), threading.Event()
    death_of = launcher.supervisor.death_of

    def wait(process: ProcessId, seconds: float) -> Any:
        waits.set()
        return death_of(process, seconds)

    monkeypatch.setattr(launcher.supervisor, "death_of", wait)

    def interrupt() -> None:
        # On a busy machine the command may be ready before whoever has started it waits for it.
        waits.wait()
        eventually(lambda: log.exists() and "ready" in log.read_text())
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    ended = Player(launcher, grace=300.0).play([sys.executable, "-c", POLITE], log, log, 300.0)
    thread.join()
    assert (ended.status, ended.stopped) == (ExitStatus(code=2), INTERRUPTED)
    assert log.read_text() == "ready\nwrote what it has seen\n"


def test_what_cannot_be_begun_is_said(launcher: Launcher, tmp_path: Path) -> None:
    player = Player(launcher)
    with pytest.raises(ReportError, match="No such file or directory; make room"):
        player.play([sys.executable], tmp_path / "nowhere/out", tmp_path / "log", 1.0)
    (tmp_path / "taken").touch()
    with pytest.raises(ReportError, match="File exists"):
        player.play([sys.executable], tmp_path / "taken", tmp_path / "taken", 1.0)
    with pytest.raises(KernelStartError):
        player.play(["/nonexistent"], tmp_path / "other", tmp_path / "other", 1.0)
