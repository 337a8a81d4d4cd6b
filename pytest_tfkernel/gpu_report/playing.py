"""Runs the command of a part: until its end, until its time is over, or until somebody wants to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.gpu_report.writing import ReportError
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.processes import ExitStatus
from pytest_tfkernel.processes.orders import Order

OVER = "its time was up"
INTERRUPTED = "interrupted"
# In which pytest ends its kernels and writes down what it has seen.
_GRACE_SECONDS = 20.0
_END_SECONDS = 10.0


@dataclass(frozen=True)
class Ended:
    """How a command ended; `stopped` says why it was made to, `status` is None where it could not be ended."""

    status: ExitStatus | None
    seconds: float
    stopped: str = ""


class Player:
    """Starts commands below the launcher's supervisor, which ends them should this process be killed.

    One that is stopped has `grace` seconds before it is killed.
    """

    def __init__(
        self, launcher: Launcher, clock: Callable[[], float] = time.monotonic, grace: float = _GRACE_SECONDS
    ) -> None:
        self._grace = grace
        self._launcher = launcher
        self._supervisor = launcher.supervisor
        self._clock = clock

    def play(self, argv: Sequence[str], out: Path, err: Path, seconds: float) -> Ended:
        """Run a command with these files for what it prints. Raises ReportError or TFKernelError where it can't begin.

        Ctrl-C stops the command as its end of time does: it is interrupted itself first, and killed after a while.
        """
        lease = self._launcher.new_lease()
        with contextlib.ExitStack() as stack:
            log = _open(stack, err)
            targets = {1: log if out == err else _open(stack, out), 2: log}
            order = Order(lease, str(self._launcher.temporary))
            began = self._clock()
            stopped, status = "", None
            process = self._supervisor.start(argv, _environment(), order, targets)
            try:
                try:
                    death = self._supervisor.death_of(process, seconds)
                    stopped = "" if death is not None else OVER
                except KeyboardInterrupt:
                    death, stopped = None, INTERRUPTED
                if death is None:
                    self._supervisor.signal(process, signal.SIGINT)
                    try:
                        self._supervisor.death_of(process, self._grace)
                    except KeyboardInterrupt:
                        stopped = INTERRUPTED
            finally:
                # Also what it has left, should it have been killed.
                self._supervisor.end(lease, _END_SECONDS)
            death = self._supervisor.death_of(process, _END_SECONDS)
            status = death.status if death is not None else None
            return Ended(status, self._clock() - began, stopped)


def _environment() -> dict[str, str]:
    """Ours, without what would make another pytest of the command."""
    return {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}


def _open(stack: contextlib.ExitStack, path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ReportError(f"{path} can't be written: {error.strerror}; make room or name another folder") from None
    stack.callback(os.close, descriptor)
    return descriptor
