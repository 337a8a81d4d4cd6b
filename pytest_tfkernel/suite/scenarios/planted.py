"""The control of every look for leaks: some are planted, and must be found."""

from __future__ import annotations

from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Facts, Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.sizes import SMOKE
from pytest_tfkernel.trials.stage import Stage

NAME = "planted-leaks"


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """`found` and `missed` are kinds of leaks, `refused` those that could not be made and why.

    `seconds` is what planting and finding took.
    """
    harvest = stage.planted
    facts = {
        "found": sorted(kind.value for kind in harvest.found),
        "missed": sorted(kind.value for kind in harvest.missed),
        "refused": {kind.value: why for kind, why in harvest.refused},
        "seconds": harvest.seconds,
    }
    return Facts(setting, stage.launcher.interpreter(spec.python), facts, harvest.error)


PLANTED = Scenario(NAME, "a leak of every kind, planted", (Setting("subprocess", NAME, "sigkill"),), play, SMOKE)
