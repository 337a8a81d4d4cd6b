"""The launcher of a pytest session and the stage of its trials: made when first needed, closed when pytest ends."""

from __future__ import annotations

import pytest

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.trials.stage import Stage

_LAUNCHER = pytest.StashKey[Launcher]()
_STAGE = pytest.StashKey[Stage]()
# Where the controller of pytest-xdist tells its workers who it is.
CONTROLLER = "tfkernel_controller"


def launcher_of(config: pytest.Config) -> Launcher:
    """The session's launcher. Under pytest-xdist it also ends with the controller."""
    launcher = config.stash.get(_LAUNCHER, None)
    if launcher is None:
        workerinput = getattr(config, "workerinput", {})
        owners = [ProcessId(*workerinput[CONTROLLER])] if CONTROLLER in workerinput else []
        launcher = config.stash[_LAUNCHER] = Launcher(owners)
        config.add_cleanup(launcher.close)
    return launcher


def stage_of(config: pytest.Config) -> Stage:
    """What the trials of this process share; it ends before the launcher does."""
    stage = config.stash.get(_STAGE, None)
    if stage is None:
        stage = config.stash[_STAGE] = Stage(launcher_of(config))
        config.add_cleanup(stage.close)
    return stage
