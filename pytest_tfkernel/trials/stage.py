"""What the trials of one pytest process share: the launcher, the GPUs, and how far the audit can be trusted."""

from __future__ import annotations

import functools

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.trials import plants


class Stage:
    """Made for a launcher, whose end is the caller's; `close` ends what the stage itself has started."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.gpus = Gpus(launcher)

    def prepare(self) -> None:
        """Start what a trial would otherwise begin with: its kernel is alone to blame for what it leaves."""
        if self.gpus.are_there:
            self.gpus.calibration  # noqa: B018 - it is looked at once

    @functools.cached_property
    def planted(self) -> plants.Harvest:
        """Which planted leaks the audit has found in this process; planted when that is first asked."""
        return plants.harvest(self.launcher, KernelSpec())

    @property
    def untrusted(self) -> tuple[Kind, ...]:
        """The kinds whose leaks the audit doesn't find here: of these it can't say that there are none."""
        return (*self.planted.missed, *(kind for kind, _ in self.planted.refused))

    def close(self) -> None:
        """End the helpers."""
        self.gpus.close()
