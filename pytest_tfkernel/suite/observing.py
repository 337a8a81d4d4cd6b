"""The trial of a setting, whichever kind it is of."""

from __future__ import annotations

from typing import Any

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Observation, Setting
from pytest_tfkernel.suite import scenarios
from pytest_tfkernel.trials import trial
from pytest_tfkernel.trials.stage import Stage

Seen = Observation | Facts[Any]


def observe(setting: Setting, stage: Stage, spec: KernelSpec | None = None) -> Seen:
    """Play it. Raises KernelStartError or SpecError when there is no first kernel to look at."""
    scenario = scenarios.find(setting.example)
    if scenario is not None:
        return scenario.play(setting, stage, spec or KernelSpec())
    return trial.play(setting, stage, spec)
