"""The control of every look for leaks: some are planted, and must be found."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.sizes import SMOKE
from pytest_tfkernel.trials.stage import Stage

NAME = "planted-leaks"


@dataclass(frozen=True, kw_only=True)
class Planted:
    """The kinds of leaks that were `found` and `missed`, and those that could not be made and why (`refused`).

    `seconds` is what planting and finding took.
    """

    found: list[str] = UNSEEN
    missed: list[str] = UNSEEN
    refused: dict[str, str] = UNSEEN
    seconds: float = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Planted]:
    """Plant leaks and look for them, once in this process."""
    harvest = stage.planted
    facts = Planted(
        found=sorted(kind.value for kind in harvest.found),
        missed=sorted(kind.value for kind in harvest.missed),
        refused={kind.value: why for kind, why in harvest.refused},
        seconds=harvest.seconds,
    )
    return Facts(setting, stage.launcher.interpreter(spec.python), facts, harvest.error)


PLANTED = Scenario(NAME, "a leak of every kind, planted", (Setting("subprocess", NAME, "sigkill"),), play, SMOKE)
