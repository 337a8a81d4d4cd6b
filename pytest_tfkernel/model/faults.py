"""What must follow a fault."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer


@dataclass(frozen=True)
class Dies:
    """The kernel must die of this. `stack` says whether faulthandler has a stack to show."""

    status: ExitStatus
    cause: Cause
    killer: Killer
    stack: bool = False

    def __str__(self) -> str:
        return f"dies of {self.status} (cause: {self.cause.value}; killed by: {self.killer.value})"


@dataclass(frozen=True)
class Lives:
    """The kernel must live on and answer with one of these errors, by the end of their names."""

    errors: tuple[str, ...]

    def __str__(self) -> str:
        return f"lives, with {' or '.join(self.errors)}"
