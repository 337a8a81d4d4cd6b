"""The trial that kills a pytest, where that can't be done."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.errors import SupervisorGoneError
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.trials import Setting, State
from pytest_tfkernel.suite import runner_death
from pytest_tfkernel.suite.guarantees.death import runner_death_leaves_nothing
from pytest_tfkernel.suite.settings import DAEMON, RUNNER_DEATH

SABOTEUR = Path(__file__).parents[1] / "saboteurs" / "stops_its_supervisor.py"
SETTING = Setting("subprocess", DAEMON, RUNNER_DEATH)


def test_runner_that_ends_by_itself_is_unknown_with_its_last_words(launcher: Launcher, tmp_path: Path) -> None:
    victim = tmp_path / "test_victim.py"
    victim.write_text("raise RuntimeError('no')\n")
    seen = runner_death.play(SETTING, launcher, victim)
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
        seen = runner_death.play(SETTING, launcher, SABOTEUR)
        assert seen.survivors
        assert [*launcher.temporary.iterdir()] == []
    left = [name for one in seen.started for name in Path("/tmp").glob(f"tfk-{one.process.pid}-*")]
    assert (len(seen.started) > 1, left) == (True, [])
    folder.rmdir()


def test_launcher_that_is_closed_is_told(tmp_path: Path) -> None:
    with Launcher() as launcher:
        pass
    with pytest.raises(SupervisorGoneError, match="is gone"):
        runner_death.play(SETTING, launcher)
