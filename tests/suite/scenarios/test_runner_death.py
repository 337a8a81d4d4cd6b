"""The trial that kills a pytest, where that can't be done."""

from __future__ import annotations

import contextlib
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from accounts import NOBODY
from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import SupervisorGoneError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import Leftover, ProcessId
from pytest_tfkernel.model.trials import State
from pytest_tfkernel.processes import supervisor
from pytest_tfkernel.suite import observing
from pytest_tfkernel.suite.guarantees.runner_death import runner_death_leaves_nothing
from pytest_tfkernel.suite.scenarios import runner_death
from pytest_tfkernel.suite.scenarios.brood import Brood
from pytest_tfkernel.suite.scenarios.runner_death import DAEMON, VICTIM, NotKilledError
from pytest_tfkernel.trials.stage import Stage

SABOTEURS = Path(__file__).parents[2] / "saboteurs"
SABOTEUR = SABOTEURS / "stops_its_supervisor.py"
ORPHANS = SABOTEURS / "adopts_no_orphans.py"
SETTING = DAEMON.settings[0]


def test_runner_that_ends_by_itself_is_unknown_with_its_last_words(stage: Stage, tmp_path: Path) -> None:
    victim = tmp_path / "test_victim.py"
    victim.write_text("raise RuntimeError('no')\n")
    seen = runner_death.play_with(victim, SETTING, stage, KernelSpec())
    assert "no runner came up to be killed" in seen.error
    assert "1 error" in seen.error
    assert runner_death_leaves_nothing.judge(seen).state is State.UNKNOWN


def test_what_a_runner_leaves_whose_supervisor_is_killed_too_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Short enough for this launcher, and too long for that of the runner, whose folder is in /tmp then.
    base = Path(tempfile.gettempdir())
    folder = base / ("x" * max(1, 39 - len(str(base))))
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with Launcher() as launcher:
        assert launcher.temporary.is_relative_to(folder)
        seen = runner_death.kill(SABOTEUR, launcher)
        assert seen.survivors
        assert [*launcher.temporary.iterdir()] == []
    left = [name for one in seen.started for name in Path("/tmp").glob(f"tfk-{one.process.pid}-*")]
    assert (len(seen.started) > 1, left) == (True, [])
    folder.rmdir()


@pytest.mark.uncovered
def test_a_daemon_that_no_supervisor_adopts_is_seen_to_live_and_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "CHILD_FOLDER", runpy.run_path(str(ORPHANS))["maim"](tmp_path))
    with Launcher() as launcher:
        seen = runner_death.play_with(ORPHANS, SETTING, Stage(launcher), KernelSpec())
    for one in seen.left:
        # They came to us; whoever is alive still would be waited for.
        with contextlib.suppress(ChildProcessError):
            assert os.waitpid(one.process.pid, os.WNOHANG)[0] == one.process.pid
    verdict = runner_death_leaves_nothing.judge(seen)
    assert (seen.error, verdict.state) == ("", State.FAIL)
    assert "signal.pause()" in verdict.reason


def test_a_daemon_is_among_what_must_go(launcher: Launcher) -> None:
    seen = runner_death.kill(VICTIM, launcher)
    (daemon,) = [one for one in seen.started if one.command.endswith("; signal.pause()")]
    assert daemon.parent == next(one.process.pid for one in seen.started if " supervisor " in one.command)
    assert seen.survivors == ()


def test_an_honest_runner_passes(stage: Stage) -> None:
    seen = observing.observe(SETTING, stage)
    verdict = runner_death_leaves_nothing.judge(seen)
    assert verdict.state is State.PASS, verdict


def test_what_the_runner_names_must_be_there(launcher: Launcher, tmp_path: Path) -> None:
    victim = tmp_path / "test_victim.py"
    gone = subprocess.Popen(["true"])
    gone.wait()
    victim.write_text(f"import os, signal\ndef test_one():\n    os.write(5, b'{gone.pid}')\n    signal.pause()\n")
    with pytest.raises(NotKilledError, match=f"^had ended before the runner was killed: process {gone.pid}$"):
        runner_death.kill(victim, launcher)


def test_what_is_older_than_the_runner_is_not_of_its_making(launcher: Launcher, tmp_path: Path) -> None:
    victim = tmp_path / "test_victim.py"
    with subprocess.Popen(["sleep", "60"]) as older:
        victim.write_text(f"import os, signal\ndef test_one():\n    os.write(5, b'{older.pid}')\n    signal.pause()\n")
        with pytest.raises(NotKilledError):
            runner_death.kill(victim, launcher)
        assert older.poll() is None
        older.kill()


def test_the_deadline_is_the_one_that_is_promised(launcher: Launcher) -> None:
    asked: list[float] = []

    def wait(look: runner_death.LookForSurvivors, seconds: float) -> Mapping[ProcessId, Leftover]:
        asked.append(seconds)
        return look()

    seen = runner_death.kill(SABOTEUR, launcher, wait)
    assert (asked, bool(seen.survivors)) == ([2.0], True)


class TestAwaitEnd:
    def test_what_is_there_at_the_deadline_is_told(self) -> None:
        nobody = ProcessId(5_000_000, 1)
        left = {nobody: Leftover(nobody, 1, "Z", "")}
        times = iter((100.0, 100.5, 101.9, 102.0))
        assert runner_death.await_end(lambda: left, 2.0, lambda: next(times)) == left
        assert list(times) == []

    def test_nothing_is_waited_for_when_nothing_is_there(self) -> None:
        times = iter((100.0,))
        assert runner_death.await_end(dict, 2.0, lambda: next(times)) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("user", "is_ours"), [(0, True), (NOBODY, False)])
def test_a_lease_marks_what_is_of_our_user_only(launcher: Launcher, *, user: int, is_ours: bool) -> None:
    brood = Brood(launcher.supervisor)
    kernel = launcher.start(KernelSpec(provisioner="subprocess"))
    lease = proc.lease_of(kernel.pid)
    assert lease is not None
    brood.look()
    wear = f"import resource; resource.setrlimit({proc.RLIMIT_LOCKS}, ({lease}, {lease})); input()"
    command = [sys.executable, "-I", "-S", "-c", wear]
    if user:
        command = ["setpriv", f"--reuid={user}", "--clear-groups", *command]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as other:
        try:
            while proc.lease_of(other.pid) != lease:
                assert other.poll() is None
            assert (other.pid in {one.pid for one in brood.look()}) == is_ours
        finally:
            other.kill()


def test_launcher_that_is_closed_is_told(tmp_path: Path) -> None:
    with Launcher() as launcher:
        pass
    with pytest.raises(SupervisorGoneError, match="is gone"):
        runner_death.play(SETTING, Stage(launcher), KernelSpec())
