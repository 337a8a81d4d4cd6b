"""The launcher of a pytest session: made when it is first needed, closed when pytest ends."""

from __future__ import annotations

import pytest

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.processes import ProcessId

_LAUNCHER = pytest.StashKey[Launcher]()
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
