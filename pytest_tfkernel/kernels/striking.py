"""How a fault strikes: a kernel that waits for its next cell, or one in a phase, which says that it is there."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable
from typing import Any, Protocol

from pytest_tfkernel.kernels.cells import exchange
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.phases import COLD, EXITING, STARTING, Phase
from pytest_tfkernel.model.errors import FaultError, KernelDied
from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.kernels import KernelSpec, Outcome, Reply
from pytest_tfkernel.processes.waits import Event

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


class Injury(Protocol):
    """What is asked of a fault. Those of the menu are in `faults/`, where it stands what each field means."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def expects(self) -> Dies | Lives:
        """What must follow."""

    @property
    def seconds(self) -> float:
        """How long a death may take."""

    @property
    def signal(self) -> signal.Signals | None:
        """The signal that it is, if it is nothing else."""

    @property
    def strike(self) -> Callable[[Any, float | None], Reply | None]:
        """What does it to a kernel."""


def strike_idle(life: Life, fault: Injury, strike: Callable[[], Reply | None]) -> Outcome:
    """Strike a kernel that waits for its next cell. Raises what the fault does, and FaultError if it makes no sense."""
    try:
        reply = strike()
    except KernelDied as died:
        return Outcome(fault.name, None, died.post_mortem)
    if not isinstance(reply, Reply | None):
        raise FaultError(f"fault {fault.name!r} struck with {reply!r}: `strike` must return a Reply or None")
    lives = reply is not None and not reply.ok
    if isinstance(fault.expects, Dies) and not lives:
        life.wait(fault.seconds, channel=False)
    return Outcome(fault.name, reply, None if life.is_alive else life.bury())


def signal_for(fault: Injury, phase: Phase, spec: KernelSpec) -> signal.Signals:
    """The signal that a fault is. Raises FaultError when it can't strike in the phase."""
    if fault.signal is None:
        raise FaultError(
            f"{fault.name} strikes through a cell, and a kernel in phase {phase.name!r} runs none: choose a"
            " signal, or phase 'idle'"
        )
    if phase.needs == COLD and not spec.made_by.is_cold:
        raise FaultError(
            f"phase {phase.name!r} needs a kernel that has not imported TensorFlow:"
            f" provisioner='subprocess', not {spec.made_by.name!r}"
        )
    return fault.signal


def strike_in(phase: Phase, life: Life, fault: Injury, number: signal.Signals, seconds: float) -> Outcome:
    """Bring a life into a phase, send it a signal there, and see what comes within `seconds`."""
    seen: list[str] = []

    def on_mark(name: str) -> None:
        seen.append(name)
        if name == "in":
            life.signal(number)

    reply: Reply | None = None
    post_mortem = None
    # Beside the kernel's own, where it is no leak of the kernel's, and goes with the supervisor.
    with tempfile.TemporaryDirectory(prefix="saving-", dir=life.temporary.parent) as folder:
        cell = life.last_cell = phase.cell.replace("{folder!r}", repr(folder))
        try:
            request = {"kind": "execute", "cell": cell, "interactive": True, "marks": True}
            reply = exchange.ask(life, request, seconds, on_mark)
            if phase.name == EXITING:
                exchange.receive(life, seconds, life.send({"kind": "shutdown"}), on_mark)
            # One that never came there was not struck.
            late = bool(seen) and isinstance(fault.expects, Dies)
        except KernelDied as died:
            post_mortem, late = died.post_mortem, False
    if late and life.wait(fault.seconds, channel=False) is Event.DEATH:
        # It had done with the phase, and died of the signal afterwards.
        post_mortem = life.bury()
    return Outcome(fault.name, reply, post_mortem, phase.name, in_phase=seen == ["in"] and not late)


def strike_at_start(life: Life, fault: Injury, number: signal.Signals) -> Outcome:
    """Send a signal to a life that has just been launched with a mute channel: it can't come to its first word."""
    life.signal(number)
    if life.wait(fault.seconds, channel=False) is not Event.DEATH:
        life.end(f"it did not die of {fault.name} while it started, so it was ended", deadline=True)
    silent = life.has_stayed_mute()
    return Outcome(fault.name, None, life.bury(), STARTING, in_phase=silent)
