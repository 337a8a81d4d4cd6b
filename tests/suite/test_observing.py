"""A setting is played by what it names: a scenario, or an example."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite import observing, scenarios
from pytest_tfkernel.trials import trial
from pytest_tfkernel.trials.stage import Stage

STAGE = cast("Stage", object())
SPEC = KernelSpec(timeout=7.0)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked for, by who plays it."""
    asked: list[tuple[Any, ...]] = []

    def by(name: str) -> Any:
        return lambda *given: asked.append((name, *given)) or name  # type: ignore[func-returns-value]

    class Scenario:
        play = staticmethod(by("scenario"))

    monkeypatch.setattr(scenarios, "find", lambda name: Scenario() if name == "a-scenario" else None)
    monkeypatch.setattr(trial, "play", by("trial"))
    return asked


def test_a_scenario_plays_by_its_own_script(played: list[tuple[Any, ...]]) -> None:
    setting = Setting("forkserver", "a-scenario", "none")
    assert cast("Any", observing.observe(setting, STAGE, SPEC)) == "scenario"
    observing.observe(setting, STAGE)
    assert played == [("scenario", setting, STAGE, SPEC), ("scenario", setting, STAGE, KernelSpec())]


def test_an_example_is_a_trial(played: list[tuple[Any, ...]]) -> None:
    setting = Setting("forkserver", "graph_add", "sigkill")
    assert cast("Any", observing.observe(setting, STAGE, SPEC)) == "trial"
    assert played == [("trial", setting, STAGE, SPEC)]
