"""The trial that kills a pytest, where that can't be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.kernels.errors import SupervisorGoneError
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.trials import Setting, State
from pytest_tfkernel.suite import runner_death
from pytest_tfkernel.suite.guarantees.death import runner_death_leaves_nothing
from pytest_tfkernel.suite.settings import DAEMON, RUNNER_DEATH

SETTING = Setting("subprocess", DAEMON, RUNNER_DEATH)


def test_runner_that_ends_by_itself_is_unknown_with_its_last_words(launcher: Launcher, tmp_path: Path) -> None:
    victim = tmp_path / "test_victim.py"
    victim.write_text("raise RuntimeError('no')\n")
    seen = runner_death.play(SETTING, launcher, victim)
    assert "no runner came up to be killed" in seen.error
    assert "1 error" in seen.error
    assert runner_death_leaves_nothing.judge(seen).state is State.UNKNOWN


def test_launcher_that_is_closed_is_told(tmp_path: Path) -> None:
    with Launcher() as launcher:
        pass
    with pytest.raises(SupervisorGoneError, match="is gone"):
        runner_death.play(SETTING, launcher)
