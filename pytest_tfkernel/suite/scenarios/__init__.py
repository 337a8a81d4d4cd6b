"""Trials that are about more than one kernel and its successor; one file each."""

from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.busy import BUSY_SHUTDOWN
from pytest_tfkernel.suite.scenarios.checkpoint import CHECKPOINTS
from pytest_tfkernel.suite.scenarios.configuration import CONFIGURATION
from pytest_tfkernel.suite.scenarios.eager import EAGER_NEEDS_GRAPH
from pytest_tfkernel.suite.scenarios.gpu import GPU
from pytest_tfkernel.suite.scenarios.hosted_imports import HOSTED_IMPORT
from pytest_tfkernel.suite.scenarios.hosts import HOSTS_AGREE
from pytest_tfkernel.suite.scenarios.imports import INTERRUPTED_IMPORT
from pytest_tfkernel.suite.scenarios.interrupts import INTERRUPTS
from pytest_tfkernel.suite.scenarios.live_fork import LIVE_FORK
from pytest_tfkernel.suite.scenarios.neighbours import NAMES_ARE_PRIVATE, NEIGHBOUR_IS_UNHARMED
from pytest_tfkernel.suite.scenarios.old_state import OLD_STATE
from pytest_tfkernel.suite.scenarios.planted import PLANTED
from pytest_tfkernel.suite.scenarios.randomness import RANDOMNESS
from pytest_tfkernel.suite.scenarios.restarts import RESTART_LIMIT, STRUCK_STARTS, TWO_DEATHS
from pytest_tfkernel.suite.scenarios.runner_death import DAEMON
from pytest_tfkernel.suite.scenarios.server import SERVER_STATE
from pytest_tfkernel.suite.scenarios.warmth import WARM_EQUALS_COLD

SCENARIOS: tuple[Scenario, ...] = (
    EAGER_NEEDS_GRAPH,
    OLD_STATE,
    NEIGHBOUR_IS_UNHARMED,
    NAMES_ARE_PRIVATE,
    CONFIGURATION,
    RANDOMNESS,
    *CHECKPOINTS,
    SERVER_STATE,
    LIVE_FORK,
    INTERRUPTS,
    INTERRUPTED_IMPORT,
    WARM_EQUALS_COLD,
    DAEMON,
    HOSTS_AGREE,
    RESTART_LIMIT,
    STRUCK_STARTS,
    TWO_DEATHS,
    BUSY_SHUTDOWN,
    HOSTED_IMPORT,
    GPU,
    PLANTED,
)


def find(name: str) -> Scenario | None:
    """The scenario of a setting's example, if it is one."""
    return {scenario.name: scenario for scenario in SCENARIOS}.get(name)


__all__ = ["SCENARIOS", "Scenario", "find"]
