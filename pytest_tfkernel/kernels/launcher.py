"""Where kernels come from: one launcher per session, with its supervisor and fork servers."""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import final

from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels import scratch
from pytest_tfkernel.kernels.cgroups import Cgroup
from pytest_tfkernel.kernels.errors import SupervisorGoneError
from pytest_tfkernel.kernels.generations import Generations, OwnGenerations, Supplies
from pytest_tfkernel.kernels.hosted import HostedGenerations
from pytest_tfkernel.kernels.interpreters import describe
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.provisioners.base import Provisioner
from pytest_tfkernel.kernels.provisioners.forkserver import ForkServerProvisioner
from pytest_tfkernel.kernels.provisioners.jupyter import JUPYTER
from pytest_tfkernel.kernels.provisioners.multiprocess import METHODS, MultiprocessProvisioner
from pytest_tfkernel.kernels.provisioners.spyder import SPYDER
from pytest_tfkernel.kernels.provisioners.subprocess import SubprocessProvisioner
from pytest_tfkernel.kernels.specs import check
from pytest_tfkernel.kernels.supervisor import Supervisor
from pytest_tfkernel.model.kernels import Interpreter, KernelSpec
from pytest_tfkernel.model.processes import ProcessId

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# More than one session ever needs.
_LEASES = 1 << 40


@final
class Launcher:
    """Starts kernels, and ends them all in `close`. A context manager.

    `owners` are processes, beside this one, whose death ends everything. `temporary` is the folder in which the
    temporary folders of its kernels are.
    """

    def __init__(self, owners: Sequence[ProcessId] = ()) -> None:
        self.supervisor = Supervisor(owners)
        self._next_lease = _first_lease()
        self._hosted_starts = 0
        self.temporary = scratch.find_place()
        self._folders = itertools.count(1)
        # That an owner is dead already, and the supervisor with it, is told when a kernel is asked for.
        with contextlib.suppress(SupervisorGoneError):
            # Before it is made: however we end, it goes.
            self.supervisor.hold(self.temporary, contents=True)
            self.temporary.mkdir(mode=0o700)
        provisioners: tuple[Provisioner, ...] = (
            SubprocessProvisioner(self.supervisor),
            ForkServerProvisioner(self.supervisor, self.new_lease, str(self.temporary)),
            *(MultiprocessProvisioner(one, self.supervisor, self.new_lease, str(self.temporary)) for one in METHODS),
        )
        self.provisioners = {provisioner.name: provisioner for provisioner in provisioners}
        self.hostings = {hosting.name: hosting for hosting in (JUPYTER, SPYDER)}
        self._creator = os.getpid()
        self._kernels: list[Kernel] = []
        self._interpreters: dict[str, Interpreter] = {}

    @property
    def cold_starts(self) -> int:
        """How many interpreters were started for kernels so far, fork servers among them."""
        return self._hosted_starts + sum(provisioner.cold_starts for provisioner in self.provisioners.values())

    def _note_cold_start(self) -> None:
        self._hosted_starts += 1

    def new_lease(self) -> int:
        """A number that marks one process and all that it starts."""
        return self._new_leases(1)

    def _new_leases(self, count: int) -> int:
        first = self._next_lease
        self._next_lease += count
        return first

    def interpreter(self, python: str) -> Interpreter:
        """What the interpreter says of itself. Raises SpecError when kernels can't run there."""
        if python not in self._interpreters:
            self._interpreters[python] = describe(python, self.supervisor, self.new_lease())
        return self._interpreters[python]

    def start(self, spec: KernelSpec | None = None) -> Kernel:
        """A running kernel. Raises SpecError or KernelStartError, each with what to do."""
        chosen = spec if spec is not None else KernelSpec()
        check(chosen, (*self.provisioners, *self.hostings))
        supplies = Supplies(
            self.supervisor, self._new_leases, self.new_cgroup, self._make_temporary, self._note_cold_start
        )
        interpreter = self.interpreter(chosen.python)
        generations: Generations
        if chosen.provisioner in self.hostings:
            generations = HostedGenerations(supplies, self.hostings[chosen.provisioner], chosen, interpreter)
        else:
            generations = OwnGenerations(supplies, self.provisioners[chosen.provisioner], chosen, interpreter)
        kernel = Kernel(chosen, generations, self.new_cgroup)
        self._kernels = [one for one in self._kernels if not one.is_shut_down] + [kernel]
        return kernel

    def new_cgroup(self, controllers: tuple[str, ...]) -> Cgroup:
        """A cgroup for one kernel. Raises CgroupUnavailableError."""
        return Cgroup(self.supervisor, f"tfkernel-{os.getpid()}-{self.new_lease():x}", controllers)

    def close(self) -> None:
        """End every kernel, the fork servers and the supervisor."""
        if os.getpid() != self._creator:
            return  # a fork of ours has no say
        for provisioner in self.provisioners.values():
            provisioner.close()
        self.supervisor.close()
        # The supervisor has done that, unless somebody killed it.
        shutil.rmtree(self.temporary, ignore_errors=True)
        # Their processes are gone; this frees what they held here.
        for kernel in self._kernels:
            kernel.shutdown()

    def __enter__(self) -> Launcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _make_temporary(self) -> Path:
        folder = self.temporary / str(next(self._folders))
        try:
            folder.mkdir()
        except FileNotFoundError:
            # It went with the supervisor, which is told here, or with what cleans the folder for temporary files.
            self.supervisor.hold(self.temporary, contents=True)
            folder.mkdir(parents=True)
        return folder


def _first_lease() -> int:
    """A number that no other launcher on this machine is likely to begin with, within the hard limit."""
    hard = resource.getrlimit(proc.RLIMIT_LOCKS)[1]
    room = 1 << 60 if hard == resource.RLIM_INFINITY else hard
    return 1 + secrets.randbelow(max(1, room - _LEASES))
