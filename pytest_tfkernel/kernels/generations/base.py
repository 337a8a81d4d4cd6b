"""Where the processes of one kernel come from, one generation after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.generations.parts import Parts, environment
from pytest_tfkernel.kernels.provisioners.base import Launch, Maker
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.kernels import Interpreter, KernelSpec
from pytest_tfkernel.model.provisioners import PROVISIONERS
from pytest_tfkernel.processes import room
from pytest_tfkernel.processes.cgroups import Cgroup, CgroupUnavailableError, limiting
from pytest_tfkernel.processes.orders import Order, folder_of
from pytest_tfkernel.processes.output.captures import Capture
from pytest_tfkernel.processes.supervisor import Supervisor
from pytest_tfkernel.processes.wire import Channel

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


class Generations(Protocol):
    """Makes the processes of one kernel."""

    def launch(self, generation: int, *, mute: bool = False) -> Life:
        """The process of a generation; of a `mute` one we hear nothing. Raises KernelStartError."""

    def succeed(self, generation: int, seconds: float, *, asked: bool) -> list[Life]:
        """What a host has started since that generation, the latest at the end; it is asked to, or awaited.

        Raises KernelStartError when no host does that, or it has given up.
        """

    def close(self) -> None:
        """End what was started for all generations."""


@dataclass(frozen=True)
class Supplies:
    """What a launcher gives to whatever makes kernels.

    `new_leases` reserves so many numbers in a row, and gives the first. `note_cold_start` is told of each interpreter
    that a host has started.
    """

    supervisor: Supervisor
    new_leases: Callable[[int], int]
    new_cgroup: Callable[[tuple[str, ...]], Cgroup]
    new_temporary: Callable[[], Path]
    note_cold_start: Callable[[], None]

    def limiting_cgroup(self, spec: KernelSpec) -> Cgroup | None:
        """A cgroup with the limits of the spec, if it has any that need one. Raises KernelStartError."""
        try:
            return limiting(self.new_cgroup, memory=spec.memory_limit, processes=spec.process_limit)
        except (CgroupUnavailableError, OSError) as error:
            raise KernelStartError(
                f"memory_limit and process_limit need a cgroup, and none can be made: {error}"
            ) from error


@dataclass(frozen=True)
class OwnGenerations:
    """Each generation is made by a process of ours, when we say so."""

    supplies: Supplies
    maker: Maker
    spec: KernelSpec
    interpreter: Interpreter

    def launch(self, generation: int, *, mute: bool = False) -> Life:
        """See `Generations`."""
        spec, supervisor = self.spec, self.supplies.supervisor
        supervisor.check_ours()
        # Nothing is made where it can't work.
        folder_of(spec)
        cgroup = self.supplies.limiting_cgroup(spec)
        temporary = self.supplies.new_temporary()
        lease = self.supplies.new_leases(1)
        with contextlib.ExitStack() as undo, room.Needed("no kernel can be started"):
            channel, theirs = Channel.pair(mute=mute)
            undo.callback(channel.close)
            undo.callback(theirs.close)
            stdout = Capture("stdout")
            undo.callback(stdout.close)
            stderr = Capture("stderr")
            undo.callback(stderr.close)
            stacks = Capture("stacks")
            undo.pop_all()
        parts = Parts(channel, stdout, stderr, stacks, lease, cgroup, temporary, self.maker.elegy)
        try:
            wanted = Launch(
                spec=spec,
                interpreter=self.interpreter,
                environment=environment(spec, lease, temporary),
                order=Order.of(spec, lease, cgroup.procs_files if cgroup is not None else ()),
                stdout=parts.stdout.descriptor,
                stderr=parts.stderr.descriptor,
                channel=theirs.fileno(),
                stacks=parts.stacks.descriptor,
            )
            process = self.maker.launch(wanted)
            return Life(supervisor, process, parts, generation)
        except BaseException:
            parts.discard()
            raise
        finally:
            theirs.close()

    def succeed(self, generation: int, seconds: float, *, asked: bool) -> list[Life]:  # noqa: ARG002 - it can't
        """Nobody does."""
        others = " or ".join(repr(one.name) for one in PROVISIONERS if one.restarts_unasked)
        raise KernelStartError(
            f"nobody restarts a kernel of {self.maker.name!r} unasked: call restart(), or use {others}, whose manager"
            " does"
        )

    def close(self) -> None:
        """There is nothing."""
