"""How one process of isolation is made, by its supervisor or by another process: its channel, output and limits."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_tfkernel._child.kin import TOKEN
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.generations.parts import Parts
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.kernels.provisioners.forkserver import CHECK, TRUSTED
from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.plugin.isolation.peers import DiedError, Peer
from pytest_tfkernel.plugin.isolation.phases import CLAIMS, PhaseOutput
from pytest_tfkernel.plugin.isolation.wishes import IsolationWishes
from pytest_tfkernel.processes import room
from pytest_tfkernel.processes.cgroups import Cgroup, CgroupUnavailableError, limiting
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.output.captures import Capture
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER
from pytest_tfkernel.processes.wire import Channel

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_BEGIN = "pytest_tfkernel.plugin.isolation.inside.begin"
# What pytest says of the test that it runs, the process of a test says itself.
_NOT_INHERITED = (TOKEN, "PYTEST_CURRENT_TEST")
_NOTHING = IsolationWishes()
_CAPTURED, _LOG = ("stdout", "stderr"), "log"


class CannotBeginError(TFKernelError):
    """No process for tests can be made; the text says why, and what to do."""


class ParentDiedError(CannotBeginError):
    """The process that was to be forked is dead."""


@dataclass(frozen=True)
class Forker:
    """Makes processes under the supervisor of a launcher. Where tests run, what pytest `captures` is seen here, too.

    They begin without these variables. With the gate, what tests make is written down.
    """

    launcher: Launcher
    captures: bool
    without: tuple[str, ...] = ()
    has_gate: bool = False

    def start(self, plugins: Sequence[str]) -> Peer:
        """A blank one: an interpreter with pytest and these modules imported."""

        def launch(order: Order, descriptors: list[int]) -> ProcessId:
            unwanted = (*_NOT_INHERITED, *self.without)
            environment = {name: text for name, text in os.environ.items() if name not in unwanted}
            # As multiprocessing asks for them: -W, -X and the like.
            flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001
            argv = [sys.executable, *flags, str(CHILD_FOLDER), "isolation"]
            stdout, stderr, channel, stacks = descriptors
            # With -s a test reads what pytest would; what is shown on pytest's own terminal goes to the last two.
            terminal = {target: own for target, own in ((0, 0), (5, 1), (6, 2)) if _is_open(own)}
            placed = {1: stdout, 2: stderr, 3: channel, 4: stacks, **terminal}
            return self.launcher.supervisor.start(argv, environment, order, placed)

        peer = self._make(launch, Order(self.launcher.new_lease(), None), None, ())
        begin = {"kind": "begin", "module": _BEGIN, "sys_path": sys.path, "argv": sys.argv}
        peer.ask({**begin, "check": CHECK, "trusted": list(TRUSTED), "plugins": list(plugins)})
        return peer

    def fork(self, parent: Peer, wishes: IsolationWishes = _NOTHING, *, phases: bool = False) -> Peer:
        """A fork of another one. Raises CannotBeginError, and ParentDiedError where the other one is dead."""
        cgroup = self._cgroup(wishes)
        limits: tuple[tuple[int, int], ...] = ()
        if wishes.memory is not None and wishes.by == "rlimit":
            limits = ((resource.RLIMIT_DATA, wishes.memory),)
        files = tuple(map(str, cgroup.procs_files)) if cgroup is not None else ()
        # What isn't captured is on pytest's own terminal; what is logged is told in reports in any case.
        names = ((*(_CAPTURED if self.captures else ()), _LOG, *([CLAIMS] if self.has_gate else ()))) if phases else ()

        def launch(order: Order, descriptors: list[int]) -> ProcessId:
            environment = {**dict(wishes.env), TOKEN: str(order.lease)}
            request = {"kind": "fork", "order": order.for_child(), "environment": environment, "phases": list(names)}
            try:
                answer = parent.ask(request, tuple(descriptors))
            except DiedError as error:
                words = "the process from which those of tests are forked is dead"
                raise ParentDiedError(f"{words}: {error.death.post_mortem.headline()}") from None
            if answer["kind"] == "refused":
                words = "; ".join(filter(None, (answer["reason"], answer["advice"])))
                raise CannotBeginError(f"no process can be forked for a test: {words}")
            return ProcessId(answer["pid"], answer["start_time"])

        try:
            order = Order(self.launcher.new_lease(), None, limits, files)
            return self._make(launch, order, cgroup, names)
        except BaseException:
            if cgroup is not None:
                cgroup.remove()
            raise

    def _cgroup(self, wishes: IsolationWishes) -> Cgroup | None:
        memory = wishes.memory if wishes.by == "cgroup" else None
        try:
            return limiting(self.launcher.new_cgroup, memory=memory, processes=wishes.processes)
        except (CgroupUnavailableError, OSError) as error:
            other = ", or write memory=..., by='rlimit'" if memory is not None else ""
            raise CannotBeginError(
                f"memory= and processes= need a cgroup, and none can be made: {error}{other}"
            ) from None

    def _make(
        self,
        launch: Callable[[Order, list[int]], ProcessId],
        order: Order,
        cgroup: Cgroup | None,
        phases: Sequence[str],
    ) -> Peer:
        try:
            with contextlib.ExitStack() as undo:
                channel, theirs = Channel.pair()
                undo.callback(channel.close)
                captures = [Capture(name) for name in ("stdout", "stderr", "stacks")]
                for one in captures:
                    undo.callback(one.close)
                made = []
                for name in phases:
                    made.append(PhaseOutput(name))
                    undo.callback(made[-1].close)
                stdout, stderr, stacks = captures
                try:
                    streams = [one.descriptor for one in captures]
                    given = [*streams[:2], theirs.fileno(), streams[2], *(one.owned.number for one in made)]
                    process = launch(order, given)
                finally:
                    theirs.close()
                parts = Parts(channel, stdout, stderr, stacks, order.lease, cgroup, None, lambda _: "")
                life = Life(self.launcher.supervisor, process, parts, 1)
                undo.pop_all()
            return Peer(life, channel, tuple(made))
        except OSError as error:
            raise room.error_for(f"no process for tests can be made: {error}", error.errno) from None


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
