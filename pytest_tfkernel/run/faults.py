"""A fault that strikes a script: when, and by what means, of `--fault=FAULT[@PHASE|@SECONDS]`."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.faults.fault import ByCell, ByStop, Fault
from pytest_tfkernel.kernels.faults.limits import ByMemoryLimit, ByThreadLimit
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.faults import Dies
from pytest_tfkernel.model.processes import Cause
from pytest_tfkernel.run.refusals import WishError

_SOON = 1.0

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
_IMPORTING, _RUNNING, _EXITING = "importing", "running", "exiting"
PHASES = (*_PLACES, _EXITING)
# A cell that imports TensorFlow strikes where the script has imported all of it.
_NEEDS = "import tensorflow"


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
            allowed = f"pytest --tfkernel --tfkernel-allow={name}"
            raise WishError(f"--fault={name} may harm other users of the GPU: play it with {allowed}")
        if _signal_of(fault) is None and _cell_of(fault) is None:
            raise WishError(f"--fault={name} can't strike a script: choose {', '.join(_from_outside())}")
        phases = [phase for phase in PHASES if phase != _IMPORTING] if _needs_tensorflow(fault) else [*PHASES]
        if when in phases:
            return cls(fault, when)
        if not _needs_tensorflow(fault):
            return cls(fault, "", _seconds(when) if when else _SOON)
        if not when:
            return cls(fault, _RUNNING)
        possible = ", ".join(f"{name}@{phase}" for phase in phases)
        raise WishError(f"--fault={text}: {name} needs all of TensorFlow, so it strikes in a phase: {possible}")

    def check(self, where: str = "", *, has_end: bool) -> None:
        """Raise WishError for what can't strike: in a kernel that runs cells, if `where` says so, or without an end."""
        name = self.fault.name
        if where and _signal_of(self.fault) is None:
            raise WishError(f"--fault={name}: in {where} only a signal can strike: {', '.join(_from_outside())}")
        if where and self.phase:
            raise WishError(f"in {where} a fault strikes by time: --fault={name}@5")
        expected = self.fault.expects
        if isinstance(expected, Dies) and expected.cause is Cause.DEADLINE and not has_end:
            raise WishError(f"--fault={name} would never end: say after how many seconds it has to, as --timeout=60")

    @property
    def place(self) -> str:
        """In words."""
        return f"in phase {self.phase!r}" if self.phase else f"after {self.seconds:g} s"

    @property
    def missed(self) -> str:
        """Why it has not struck, in words."""
        if self.phase:
            return f"it never was {self.place}"
        busy = "" if _signal_of(self.fault) is not None else ", or its main thread was in native code all the time"
        return f"it had ended before {self.seconds:g} s were over{busy}"


class Striking:
    """An aim, taken at one kernel; see `blows.Blow`."""

    def __init__(self, aim: Aim, kernel: Kernel) -> None:
        self._aim = aim
        self._cell = _cell_of(aim.fault, kernel) or ""
        self._prepare: Callable[[], object] = lambda: None
        strike = aim.fault.strike
        if isinstance(strike, ByMemoryLimit | ByThreadLimit):
            # From the moment on, and for good.
            self._prepare = lambda: strike.limit(kernel)

    @property
    def moment(self) -> dict[str, Any]:
        """See `Blow`."""
        aim = self._aim
        functions = [list(pair) for pair in _PLACES.get(aim.phase, ())]
        knock = not aim.phase and bool(self._cell)
        return {"functions": functions, "exiting": aim.phase == _EXITING, "knock": knock, "cell": self._cell}

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


def _from_outside() -> list[str]:
    return [one.name for one in menu.FAULTS if _signal_of(one) is not None]


def _cell_of(fault: Fault, kernel: Kernel | None = None) -> str | None:
    """What a script runs to be struck; None for what comes from outside."""
    strike = fault.strike
    if isinstance(strike, ByMemoryLimit):
        # Known before it is limited.
        limit = kernel.spec.memory_limit if kernel is not None else None
        return strike.cell((strike.most >> 20) + ((limit or 0) >> 20))
    return strike.cell if isinstance(strike, ByCell | ByThreadLimit) else None


def _needs_tensorflow(fault: Fault) -> bool:
    return _NEEDS in (_cell_of(fault) or "")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise WishError(f"--fault=...@{text}: neither seconds nor a phase; a script has {', '.join(PHASES)}")
    return seconds
