"""How one process of isolation is made, by its supervisor or by another process: its channel, output and limits."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
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

# What the processes of tests are started as; their forks have that command, too.
ROLE = "isolation"
_BEGIN = "pytest_tfkernel.plugin.isolation.inside.begin"
# What pytest says of the test that it runs, the process of a test says itself.
_NOT_INHERITED = (TOKEN, "PYTEST_CURRENT_TEST")
_NOTHING = IsolationWishes()
_CAPTURED, _LOG = ("stdout", "stderr"), "log"
# Behind the channel, the stacks and pytest's own terminal.
_FIRST_PHASE = 7


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

    def start(self, plugins: Sequence[str]) -> tuple[Peer, str | None]:
        """A blank one, an interpreter with pytest and these modules imported; and why it must not be forked."""
        return self._start(plugins, Order(self.launcher.new_lease(), None), None, {}, ())

    def begin(self, plugins: Sequence[str], wishes: IsolationWishes = _NOTHING, *, phases: bool = False) -> Peer:
        """A process like a fork of a blank one, where none may be forked. Raises CannotBeginError."""
        with self._ordered(wishes) as (order, cgroup):
            environment = {**dict(wishes.env), TOKEN: str(order.lease)}
            return self._start(plugins, order, cgroup, environment, self._names(phases=phases))[0]

    def _start(
        self,
        plugins: Sequence[str],
        order: Order,
        cgroup: Cgroup | None,
        given: Mapping[str, str],
        phases: Sequence[str],
    ) -> tuple[Peer, str | None]:
        numbers = {name: _FIRST_PHASE + nth for nth, name in enumerate(phases)}

        def launch(order: Order, descriptors: list[int]) -> ProcessId:
            unwanted = (*_NOT_INHERITED, *self.without)
            environment = {name: text for name, text in os.environ.items() if name not in unwanted} | dict(given)
            # As multiprocessing asks for them: -W, -X and the like.
            flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001
            argv = [sys.executable, *flags, str(CHILD_FOLDER), ROLE]
            stdout, stderr, channel, stacks, *files = descriptors
            # With -s a test reads what pytest would; what is shown on pytest's own terminal goes to the last two.
            terminal = {target: own for target, own in ((0, 0), (5, 1), (6, 2)) if _is_open(own)}
            placed = {1: stdout, 2: stderr, 3: channel, 4: stacks, **terminal}
            placed |= dict(zip(numbers.values(), files, strict=True))
            return self.launcher.supervisor.start(argv, environment, order, placed)

        peer = self._make(launch, order, cgroup, phases)
        begin = {"kind": "begin", "module": _BEGIN, "sys_path": sys.path, "argv": sys.argv, "phases": numbers}
        told = peer.ask({**begin, "check": CHECK, "trusted": list(TRUSTED), "plugins": list(plugins)})
        return peer, told["unsafe"]

    def fork(self, parent: Peer, wishes: IsolationWishes = _NOTHING, *, phases: bool = False) -> Peer:
        """A fork of another one. Raises CannotBeginError, and ParentDiedError where the other one is dead."""
        names = self._names(phases=phases)

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

        with self._ordered(wishes) as (order, cgroup):
            return self._make(launch, order, cgroup, names)

    def _names(self, *, phases: bool) -> tuple[str, ...]:
        # What isn't captured is on pytest's own terminal; what is logged is told in reports in any case.
        if not phases:
            return ()
        return (*(_CAPTURED if self.captures else ()), _LOG, *([CLAIMS] if self.has_gate else ()))

    @contextlib.contextmanager
    def _ordered(self, wishes: IsolationWishes) -> Iterator[tuple[Order, Cgroup | None]]:
        """What one process takes on, and its cgroup, which goes with it where it can't be made."""
        cgroup = self._cgroup(wishes)
        limits: tuple[tuple[int, int], ...] = ()
        if wishes.memory is not None and wishes.by == "rlimit":
            limits = ((resource.RLIMIT_DATA, wishes.memory),)
        files = tuple(map(str, cgroup.procs_files)) if cgroup is not None else ()
        try:
            yield Order(self.launcher.new_lease(), None, limits, files), cgroup
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
