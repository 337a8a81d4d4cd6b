"""Where kernels come from: one launcher per session, with its supervisor and fork servers."""

from __future__ import annotations

import itertools
import posix
import resource
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import final

from pytest_tfkernel._child import proc, removal
from pytest_tfkernel._child.leases import Numbers
from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.generations.base import Generations, OwnGenerations, Supplies
from pytest_tfkernel.kernels.generations.hosted import HostedGenerations
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.provisioners.base import Maker
from pytest_tfkernel.kernels.provisioners.forkserver import ForkServers
from pytest_tfkernel.kernels.provisioners.multiprocess import MultiprocessHosts
from pytest_tfkernel.kernels.provisioners.subprocess import Subprocesses
from pytest_tfkernel.kernels.specs.check import check
from pytest_tfkernel.kernels.specs.interpreters import describe
from pytest_tfkernel.model.errors import KernelStartError, SupervisorGoneError
from pytest_tfkernel.model.kernels import Interpreter, KernelSpec
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.provisioners import Managed, Multiprocess
from pytest_tfkernel.processes import preflight, scratch
from pytest_tfkernel.processes.cgroups import Cgroup, name_for
from pytest_tfkernel.processes.supervisor import Supervisor

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# Above what anybody sets as a limit, and more than one session ever needs. Where the hard limit is lower, they are worn
# by nobody.
_LOWEST_LEASE, _MOST_LEASES = 1 << 41, 1 << 40


@final
class Launcher:
    """Starts kernels, and ends them all in `close`. A context manager.

    `owners` are processes, beside this one, whose death ends everything.
    """

    def __init__(self, owners: Sequence[ProcessId] = ()) -> None:
        preflight.check()
        self.supervisor = Supervisor(owners)
        self._leases = Numbers(_LOWEST_LEASE, _MOST_LEASES, resource.getrlimit(proc.RLIMIT_LOCKS)[1])
        self._hosted_starts = 0
        self._folders = itertools.count(1)
        try:
            self._scratch = scratch.make(self._hold)
        except OSError as error:
            self.supervisor.close()
            raise KernelStartError(
                f"no temporary folder can be made: {error}: set TMPDIR to one that you may write to"
            ) from error
        except SupervisorGoneError:
            if all(proc.start_time(owner.pid) == owner.start_time for owner in owners):
                words = self.supervisor.last_words()
                self.supervisor.close()
                raise preflight.cannot_begin(words) from None
            # That an owner is dead already, and the supervisor with it, is told when a kernel is asked for.
            self._scratch = scratch.make(lambda *_: True)
        self.supervisor.kept.add(self._scratch.descriptor)
        makers: tuple[Maker, ...] = (
            Subprocesses(self.supervisor),
            ForkServers(self.supervisor, self.new_lease, self._temporary_path),
            *(
                MultiprocessHosts(method, self.supervisor, self.new_lease, self._temporary_path)
                for method in Multiprocess.methods
            ),
        )
        self.makers = {maker.name: maker for maker in makers}
        self._creator = posix.getpid()
        self._closed = False
        self._kernels: list[Kernel] = []
        self._interpreters: dict[str, Interpreter] = {}

    @property
    def temporary(self) -> Path:
        """The folder in which the temporary folders of its kernels are."""
        return self._scratch.path

    @property
    def cold_starts(self) -> int:
        """How many interpreters were started for kernels so far, fork servers among them."""
        return self._hosted_starts + sum(maker.cold_starts for maker in self.makers.values())

    def _note_cold_start(self) -> None:
        self._hosted_starts += 1

    def new_lease(self) -> int:
        """A number for one process and all that it starts to wear."""
        return self._leases.new()

    def interpreter(self, python: str) -> Interpreter:
        """What the interpreter says of itself. Raises SpecError when kernels can't run there."""
        if python not in self._interpreters:
            self._interpreters[python] = describe(python, self.supervisor, self.new_lease())
        return self._interpreters[python]

    def start(self, spec: KernelSpec | None = None) -> Kernel:
        """A running kernel. Raises SpecError or KernelStartError, each with what to do."""
        chosen = spec if spec is not None else KernelSpec()
        check(chosen)
        made_by = chosen.made_by
        supplies = Supplies(
            self.supervisor, self._leases.new, self.new_cgroup, self._make_temporary, self._note_cold_start
        )
        interpreter = self.interpreter(chosen.python)
        generations: Generations
        if isinstance(made_by, Managed):
            generations = HostedGenerations(supplies, made_by, chosen, interpreter)
        else:
            generations = OwnGenerations(supplies, self.makers[made_by.name], chosen, interpreter)
        kernel = Kernel(chosen, generations, self.new_cgroup, menu.find)
        self._kernels = [one for one in self._kernels if not one.is_shut_down] + [kernel]
        return kernel

    def new_cgroup(self, controllers: tuple[str, ...]) -> Cgroup:
        """A cgroup for one kernel. Raises CgroupUnavailableError."""
        return Cgroup(self.supervisor, name_for(self.new_lease()), controllers)

    def close(self) -> None:
        """End every kernel, the fork servers and the supervisor. Does nothing the second time."""
        # A fork of ours has no say.
        if self._closed or posix.getpid() != self._creator:
            return
        self._closed = True
        for maker in self.makers.values():
            maker.close()
        self.supervisor.close()
        # The supervisor has done that, unless somebody killed it.
        self._remove_scratch()
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
        if not self._scratch.is_there():
            # It went with the supervisor, which is told here, or with what cleans the folder for temporary files.
            # What has its name now may be somebody else's. Where our descriptor was closed, it goes at the end.
            self._scratch.close()
            self._scratch = scratch.make(self._hold)
            self.supervisor.kept.add(self._scratch.descriptor)
        return self._scratch.make(str(next(self._folders)))

    def _hold(self, folder: Path, descriptor: int) -> bool:
        return self.supervisor.hold(folder, contents=True, lock=descriptor)

    def _remove_scratch(self) -> None:
        if self._scratch.is_there():
            removal.remove(str(self.temporary))
        self._scratch.close()

    def _temporary_path(self) -> str:
        return str(self.temporary)
