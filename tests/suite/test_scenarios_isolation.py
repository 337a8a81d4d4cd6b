"""Scenarios of kernels that must not know each other: honest ones pass, and a saboteur of each is found out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aims import ISOLATION, Aim
from pytest_tfkernel.kernels.cgroups import MEMORY
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.kernels.limits import OOM_KILL
from pytest_tfkernel.model.trials import Facts, Setting, State
from pytest_tfkernel.suite import trial
from pytest_tfkernel.suite.guarantees import GUARANTEES
from pytest_tfkernel.suite.scenarios import Scenario
from pytest_tfkernel.suite.scenarios.configuration import CONFIGURATION
from pytest_tfkernel.suite.scenarios.eager import EAGER_NEEDS_GRAPH
from pytest_tfkernel.suite.scenarios.interrupts import INTERRUPTS
from pytest_tfkernel.suite.scenarios.neighbours import NAMES_ARE_PRIVATE, NEIGHBOUR_IS_UNHARMED
from pytest_tfkernel.suite.scenarios.old_state import OLD_STATE
from pytest_tfkernel.suite.scenarios.randomness import RANDOMNESS
from pytest_tfkernel.suite.scenarios.warmth import WARM_EQUALS_COLD

SCENARIOS = (
    EAGER_NEEDS_GRAPH,
    OLD_STATE,
    NEIGHBOUR_IS_UNHARMED,
    NAMES_ARE_PRIVATE,
    CONFIGURATION,
    RANDOMNESS,
    INTERRUPTS,
    WARM_EQUALS_COLD,
)
_BY_ID = {guarantee.id: guarantee for guarantee in GUARANTEES}

pytestmark = pytest.mark.usefixtures("tensorflow_python")


@pytest.mark.parametrize("setting", [setting for one in SCENARIOS for setting in one.settings], ids=str)
def test_honest_kernels_pass(setting: Setting, launcher: Launcher, needs_cgroup: Callable[[str], None]) -> None:
    if setting.fault == OOM_KILL:
        needs_cgroup(MEMORY)
    verdict = _BY_ID[setting.example].judge(trial.observe(setting, launcher))
    assert verdict.state is State.PASS, verdict


@pytest.mark.parametrize("aim", ISOLATION, ids=str)
def test_judge_says_fail_of_its_saboteur(aim: Aim, launcher: Launcher, tmp_path: Path) -> None:
    verdict = _BY_ID[aim.guarantee].judge(trial.observe(aim.setting, launcher, aim.spec(tmp_path)))
    assert verdict.state is State.FAIL, verdict
    assert aim.reason in verdict.reason


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_facts_that_are_missing_are_unknown_with_the_reason(scenario: Scenario, launcher: Launcher) -> None:
    setting = scenario.settings[0]
    seen = Facts(setting, launcher.interpreter(sys.executable), {}, "the kernel could not be used")
    verdict = _BY_ID[setting.example].judge(seen)
    assert (verdict.state, verdict.reason) == (State.UNKNOWN, "the kernel could not be used")
