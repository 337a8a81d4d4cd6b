"""What a maker of processes is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pytest_tfkernel.model.kernels import Interpreter, KernelSpec
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.orders import Order


@dataclass(frozen=True)
class Launch:
    """One process to make for a kernel: the spec, and what is already prepared for it.

    `stdout`, `stderr`, `channel` and `stacks` are descriptors of the caller's.
    """

    spec: KernelSpec
    interpreter: Interpreter
    environment: Mapping[str, str]
    order: Order
    stdout: int
    stderr: int
    channel: int
    stacks: int


class Maker(Protocol):
    """Makes the processes for kernels of one provisioner. One object serves a whole session."""

    @property
    def name(self) -> str:
        """As it stands in a spec."""

    @property
    def cold_starts(self) -> int:
        """How many interpreters it has started."""

    def launch(self, wanted: Launch) -> ProcessId:
        """Make the process; it will say hello on its channel. Raises KernelStartError."""

    def elegy(self, process: ProcessId) -> str:
        """Of a kernel that has died: that another process had ended, and it with that one, if so. It is asked once."""

    def close(self) -> None:
        """End what it keeps running; its kernels live on."""
