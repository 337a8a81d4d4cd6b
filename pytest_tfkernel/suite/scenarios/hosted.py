"""What the scenarios of hosted kernels have in common."""

from __future__ import annotations

from pytest_tfkernel.kernels import phases
from pytest_tfkernel.model.processes import PostMortem
from pytest_tfkernel.model.trials import Setting

HOSTS = ("jupyter", "spyder")


def settings(name: str, fault: str, phase: str = phases.IDLE) -> tuple[Setting, ...]:
    """Those of a scenario that is played with each host."""
    return tuple(Setting(host, name, fault, phase) for host in HOSTS)


def ended(died: PostMortem | None) -> str:
    """How a kernel died, or that it didn't."""
    return "it lives" if died is None else str(died.exit_status)


def first_line(error: object) -> str:
    """What fits into a reason."""
    return str(error).partition("\n")[0]
