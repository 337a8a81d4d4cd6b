"""Commands of others, and how they end."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.upgrade.commands import CommandLine, Commands, environment
from pytest_tfkernel.upgrade.errors import UpgradeError

WAITS = "import signal, sys, time\nsignal.signal(signal.SIGINT, lambda *_: (print('heard'), sys.exit(3)))\nprint('waits', flush=True)\ntime.sleep(600)"


def python(code: str, **environ: str | None) -> CommandLine:
    return CommandLine((sys.executable, "-c", code), environ)


@pytest.fixture
def commands(launcher: Launcher) -> Commands:
    return Commands(launcher)


def test_what_it_prints_is_in_its_log_and_its_end_is_told(commands: Commands, tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import os, sys; print(os.environ['MINE'], os.getcwd()); print('b', file=sys.stderr); sys.exit(7)"
    assert commands.run(python(code, MINE="a"), log).code == 7
    assert sorted(log.read_text().split()) == ["/", "a", "b"]
    assert commands.run(python("import os; os.kill(os.getpid(), 9)"), log).signal == 9


def test_somebody_is_told_that_it_goes_on(commands: Commands, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    code = f"import os, time\nwhile not os.path.exists({str(flag)!r}): time.sleep(0.01)"
    assert commands.run(python(code), tmp_path / "log", flag.touch).code == 0


def test_an_interrupt_is_handed_on_and_raised_again(commands: Commands, tmp_path: Path) -> None:
    log = tmp_path / "log"

    def interrupt() -> None:
        if "waits" in log.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commands.run(python(WAITS), log, interrupt)
    assert log.read_text().split() == ["waits", "heard"]


def test_all_of_them_can_be_stopped_and_no_other_begins(
    commands: Commands, tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
) -> None:
    log, raised = tmp_path / "log", []

    def run() -> None:
        with pytest.raises(UpgradeError) as stopped:
            commands.run(python(WAITS), log)
        raised.append(stopped)

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: log.exists() and "waits" in log.read_text())
    commands.stop()
    thread.join()
    assert raised
    with pytest.raises(UpgradeError):
        commands.run(python(""), log)


def test_nothing_outlives_its_command(commands: Commands, tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    assert commands.run(python(code), log).code == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)


def test_what_cannot_begin_is_told(commands: Commands, tmp_path: Path) -> None:
    with pytest.raises(KernelStartError, match="/no/such/program could not be started"):
        commands.run(CommandLine(("/no/such/program",)), tmp_path / "log")
    with pytest.raises(UpgradeError, match="can't be written"):
        commands.run(python(""), tmp_path / "no/log")


def test_what_is_of_this_process_only_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTEST_XDIST_WORKER", "GITHUB_STEP_SUMMARY", "VIRTUAL_ENV", "MINE", "OTHER"):
        monkeypatch.setenv(name, "x")
    found = environment({"OTHER": None, "NEW": "y"})
    assert found["MINE"] == "x"
    assert found["NEW"] == "y"
    assert not {"PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "GITHUB_STEP_SUMMARY", "VIRTUAL_ENV", "OTHER"} & set(
        found
    )
