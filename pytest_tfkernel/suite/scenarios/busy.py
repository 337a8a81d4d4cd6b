"""Kernels whose cells run for ever, in the hands of their host: how its manager shuts them down."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import KernelDied
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios import hosted
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.trials.cells import CellFailedError
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "busy-kernel-shuts-down"

# A cell that runs for ever: one that Ctrl-C ends, and one that only SIGKILL ends. Spyder drops an interrupt that comes
# between two statements.
_BUSY = {
    "heeds interrupts": "import time\nwhile not _tfkernel_mark('in'):\n    while True:\n        time.sleep(1)",
    "is deaf": (
        "import signal, time\nfor one in (signal.SIGINT, signal.SIGTERM):\n    signal.signal(one, signal.SIG_IGN)\n"
        "_tfkernel_mark('in')\nwhile True:\n    time.sleep(1)"
    ),
}


class _LeftAloneError(Exception):
    """Nobody waits for the cell any more."""


@dataclass(frozen=True)
class Shutdown:
    """How a kernel `ended` and the `cause`, after how many `seconds`, and what was `left` of it."""

    ended: str
    cause: str
    seconds: float
    left: list[str]


@dataclass(frozen=True, kw_only=True)
class Shutdowns:
    """Of kernels that run each a cell for ever, by its name."""

    shutdowns: dict[str, Shutdown] = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Shutdowns]:
    """Shut a kernel down while it runs each of the cells."""
    notes = Recorder(Shutdowns)

    def script(start: Starts) -> None:
        shutdowns: dict[str, Shutdown] = {}
        notes.note(shutdowns=shutdowns)
        for name, cell in _BUSY.items():
            kernel = start()
            _keep_busy(kernel, cell)
            began = time.monotonic()
            kernel.shutdown()
            seconds = time.monotonic() - began
            died = kernel.post_mortems[-1]
            left = [str(one) for one in kernel.left_behind]
            shutdowns[name] = Shutdown(hosted.ended(died), died.cause.value, seconds, left)

    return perform(setting, stage, spec, notes, script)


def _keep_busy(kernel: Kernel, cell: str) -> None:
    def leave(_: str) -> None:
        raise _LeftAloneError

    try:
        reply = kernel.execute_marked(cell, leave)
    except _LeftAloneError:
        return
    except KernelDied as died:
        raise CellFailedError(hosted.first_line(died)) from None
    raise CellFailedError(f"the cell that should run for ever came to an end: {reply.error}")


BUSY_SHUTDOWN = Scenario(
    NAME, "shutdown of kernels whose cells run for ever", hosted.settings(NAME, "none", "running"), play
)
