"""What a fault is, and the ways in which one strikes, as data: a plan of faults can be written down and replayed."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import FaultNotPossibleError
from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.kernels import Reply

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# By code: whatever a function does to a kernel. The other ways are data that can be called like one.
Strike = Callable[[Kernel, float | None], Reply | None]


@dataclass(frozen=True)
class Fault:
    """One injury. `strike(kernel, timeout)` does it and returns the cell's reply, if there is one.

    `requires` names capabilities of the machine. `seconds` is how long a death may take. `signal` is set
    for a fault that is nothing but a signal: only such a fault can strike in phases other than
    `idle`, since a busy kernel runs no cell. `harms`: it may harm other users of the GPU, or have a
    node taken out of service; the suite plays it only when that is allowed by name.
    """

    name: str
    summary: str
    strike: Strike
    expects: Dies | Lives
    requires: tuple[str, ...] = ()
    seconds: float = 10.0
    signal: signal.Signals | None = None
    harms: bool = False


@dataclass(frozen=True)
class Condition:
    """A cell whose value is true where a fault is possible; `otherwise` says what is the matter where it isn't."""

    cell: str
    otherwise: str


@dataclass(frozen=True)
class BySignal:
    """By a signal from outside."""

    number: signal.Signals

    def __call__(self, kernel: Kernel, _: float | None) -> None:
        """Send it."""
        kernel.signal(self.number)


@dataclass(frozen=True)
class ByCell:
    """By a cell. `deadline` is in seconds, where that of the spec is too long; `where` says where it is possible."""

    cell: str
    interactive: bool = True
    deadline: float | None = None
    where: Condition | None = None

    def __call__(self, kernel: Kernel, timeout: float | None) -> Reply:
        """Run it. Raises FaultNotPossibleError."""
        if self.where is not None:
            found = kernel.execute(self.where.cell, timeout=timeout)
            if not found.value:
                raise FaultNotPossibleError(f"{self.where.otherwise}: {found.error or 'none is visible'}")
        seconds = self.deadline if timeout is None else timeout
        return kernel.execute(self.cell, timeout=seconds, interactive=self.interactive)


@dataclass(frozen=True)
class ByStop:
    """By SIGSTOP, for good: the next cell meets its deadline, in seconds."""

    deadline: float

    def __call__(self, kernel: Kernel, timeout: float | None) -> Reply:
        """Stop it, and ask it something."""
        kernel.signal(signal.SIGSTOP)
        return kernel.execute("None", timeout=self.deadline if timeout is None else timeout)


@dataclass(frozen=True)
class ByInterrupt:
    """By SIGINT in a cell that says by a mark when it runs: between cells an interrupt means nothing."""

    cell: str

    def __call__(self, kernel: Kernel, timeout: float | None) -> Reply:
        """Interrupt it."""
        return kernel.execute_marked(self.cell, lambda _: kernel.interrupt(), timeout=timeout)
