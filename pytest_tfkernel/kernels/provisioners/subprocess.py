"""A fresh interpreter for every kernel: cold, and exactly what a user's own `python` does."""

from __future__ import annotations

from pytest_tfkernel._child import kernel
from pytest_tfkernel.kernels.provisioners.base import Launch
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.provisioners import Subprocess
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER, Supervisor

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


class Subprocesses:
    """Starts the interpreter of the spec as a child of the supervisor."""

    name = Subprocess().name

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.cold_starts = 0

    def launch(self, wanted: Launch) -> ProcessId:
        """See `Maker`."""
        self.cold_starts += 1
        return self._supervisor.start(
            [wanted.interpreter.executable, "-u", str(CHILD_FOLDER), "kernel"],
            wanted.environment,
            wanted.order,
            {1: wanted.stdout, 2: wanted.stderr, kernel.CHANNEL: wanted.channel, kernel.STACKS: wanted.stacks},
        )

    def elegy(self, process: ProcessId) -> str:  # noqa: ARG002 - it depends on nobody
        """See `Maker`."""
        return ""

    def close(self) -> None:
        """Nothing is kept running."""
