"""A fault that strikes a script: when, and by what means, of `--fault=FAULT[@PHASE|@SECONDS]`."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.faults.fault import ByCell, ByStop, Fault
from pytest_tfkernel.kernels.faults.limits import ByMemoryLimit
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.run.refusals import WishError

_AT_ONCE = 1.0

# Where a script is in a phase: the first call of one of these, by the end of a file's path and a name.
_PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "importing": (("/tensorflow/python/__init__.py", "<module>"), ("/tensorflow_core/python/__init__.py", "<module>")),
    "running": (
        ("/python/client/session.py", "run"),
        ("/eager/polymorphic_function/polymorphic_function.py", "__call__"),
    ),
    "assigning": (
        ("/python/ops/resource_variable_ops.py", "assign"),
        ("/python/ops/resource_variable_ops.py", "assign_add"),
        ("/python/ops/state_ops.py", "assign"),
    ),
    "saving": (("/python/training/saver.py", "save"), ("/python/checkpoint/checkpoint.py", "save")),
}
_EXITING = "exiting"
PHASES = (*_PLACES, _EXITING)


@dataclass(frozen=True)
class Aim:
    """A fault, and when it strikes: in a phase, or after so many seconds."""

    fault: Fault
    phase: str = ""
    seconds: float | None = None

    @classmethod
    def read(cls, text: str) -> Aim:
        """From the command line. Raises WishError, or FaultError for a fault that isn't known."""
        name, _, when = text.partition("@")
        fault = menu.find(name)
        if fault.harms:
            raise WishError(f"--fault={name} may harm other users of the GPU: play it with pytest --tfkernel-allow")
        phase, seconds = "", None
        if not when:
            seconds = _AT_ONCE
        elif when in PHASES:
            phase = when
        else:
            seconds = _seconds(when)
        strike = fault.strike
        if fault.signal is None and not isinstance(strike, ByCell | ByStop | ByMemoryLimit):
            raise WishError(f"--fault={name} can't strike a script: choose a signal such as sigkill, or oom-kill")
        if seconds is not None and _signal_of(fault) is None:
            raise WishError(
                f"--fault={text}: {name} is none that comes from outside, so it strikes in a phase:"
                f" --fault={name}@{PHASES[0]}; there are {', '.join(PHASES)}"
            )
        return cls(fault, phase, seconds)

    @property
    def place(self) -> str:
        """In words."""
        return f"in phase {self.phase!r}" if self.phase else f"after {self.seconds:g} s"


class Striking:
    """An aim, taken at one kernel; see `script.Blow`."""

    def __init__(self, aim: Aim, kernel: Kernel) -> None:
        self._aim = aim
        self._cell = ""
        self._prepare: Callable[[], object] = lambda: None
        strike = aim.fault.strike
        if isinstance(strike, ByMemoryLimit):
            # The cell is known before, and the limit holds from the moment on.
            pieces = strike.most >> 20
            self._cell = strike.cell(pieces + ((kernel.spec.memory_limit or 0) >> 20))
            self._prepare = lambda: strike.limit(kernel)
        elif isinstance(strike, ByCell):
            self._cell = strike.cell

    @property
    def moment(self) -> dict[str, Any] | None:
        """See `Blow`."""
        if not self._aim.phase:
            return None
        functions = [list(pair) for pair in _PLACES.get(self._aim.phase, ())]
        return {"functions": functions, "exiting": self._aim.phase == _EXITING, "cell": self._cell}

    @property
    def seconds(self) -> float | None:
        """See `Blow`."""
        return self._aim.seconds

    def strike(self, life: Life) -> None:
        """See `Blow`. Raises FaultNotPossibleError."""
        self._prepare()
        number = _signal_of(self._aim.fault)
        if number is not None:
            life.signal(number)


def _signal_of(fault: Fault) -> int | None:
    return signal.SIGSTOP if isinstance(fault.strike, ByStop) else fault.signal


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise WishError(f"--fault=...@{text}: neither seconds nor a phase; a script has {', '.join(PHASES)}")
    return seconds
