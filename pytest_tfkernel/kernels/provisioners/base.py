"""What a provisioner is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


class Provisioner(Protocol):
    """Makes processes for kernels. One object serves a whole session."""

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
        """End what the provisioner itself keeps running; its kernels live on."""


@dataclass(frozen=True)
class Hosting:
    """How kernels of one kind are hosted: what their interpreter runs, with which variables, and needs for that."""

    name: str
    module: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
