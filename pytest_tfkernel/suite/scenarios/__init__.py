"""Trials that are about more than one kernel and its successor; one file each."""

from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.eager import EAGER_NEEDS_GRAPH

SCENARIOS: tuple[Scenario, ...] = (EAGER_NEEDS_GRAPH,)


def find(name: str) -> Scenario | None:
    """The scenario of a setting's example, if it is one."""
    return {scenario.name: scenario for scenario in SCENARIOS}.get(name)


__all__ = ["SCENARIOS", "Scenario", "find"]
