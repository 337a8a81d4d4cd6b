"""The launcher of a pytest session and the stage of its trials: made when first needed, closed when pytest ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.plugin import workers

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

    from pytest_tfkernel.trials.stage import Stage

_LAUNCHER = pytest.StashKey[Launcher]()
_STAGE = pytest.StashKey["Stage"]()


def launcher_of(config: pytest.Config) -> Launcher:
    """The session's launcher. Under pytest-xdist it also ends with the controller."""
    launcher = config.stash.get(_LAUNCHER, None)
    if launcher is None:
        controller = workers.told(config, workers.CONTROLLER, ProcessId)
        launcher = config.stash[_LAUNCHER] = Launcher([controller] if controller is not None else [])
        config.add_cleanup(launcher.close)
    return launcher


def another_launcher_of(config: pytest.Config) -> Launcher:
    """A new one in the place of one whose supervisor is gone, which is closed when pytest ends."""
    del config.stash[_LAUNCHER]
    return launcher_of(config)


def tell(node: WorkerController) -> None:
    """Tell a worker on this machine whose death ends its kernels too."""
    start_time = proc.start_time(os.getpid())
    if start_time is not None:
        workers.tell(node, workers.CONTROLLER, ProcessId(os.getpid(), start_time))


def kept_of(config: pytest.Config) -> frozenset[int]:
    """The descriptors that the session has open for kernels of any test; none where it has started none."""
    launcher = config.stash.get(_LAUNCHER, None)
    return launcher.supervisor.kept.numbers() if launcher is not None else frozenset()


def stage_of(config: pytest.Config) -> Stage:
    """What the trials of this process share; it ends before the launcher does."""
    # Isolated tests and the gate, which have a launcher too, play none.
    from pytest_tfkernel.trials.stage import Stage

    stage = config.stash.get(_STAGE, None)
    if stage is None:
        stage = config.stash[_STAGE] = Stage(launcher_of(config))
        config.add_cleanup(stage.close)
    return stage
