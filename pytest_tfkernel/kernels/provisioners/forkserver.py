"""Kernels forked from a process that has imported TensorFlow and done nothing with it: warm."""

from __future__ import annotations

import collections
import contextlib
import itertools
from collections.abc import Callable

from pytest_tfkernel.kernels.provisioners.base import Launch
from pytest_tfkernel.model.errors import ForkRefusedError, KernelStartError
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.processes.companions import Command, Companion, environment_beside
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER, Supervisor
from pytest_tfkernel.processes.turns import Turns
from pytest_tfkernel.processes.waits import monotonic
from pytest_tfkernel.processes.wire import ChannelClosedError, ChannelLateError, ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# Each holds an imported TensorFlow, some 500 MB resident.
_MAX_SERVERS = 4
_FORK_SECONDS = 30.0
# What each kind of answer holds.
_ANSWERS: dict[str, dict[str, dict[str, type]]] = {
    "preload": {"ready": {}, "failed": {"error": dict}},
    "fork": {"forked": {"pid": int, "start_time": int}, "refused": {"reason": str, "advice": str}},
}

# Variables that libraries read while they are imported, or Python when it starts. A change of one needs
# a fork server of its own; all others are set after the fork.
IMPORT_TIME = (
    "CUDA", "GRPC", "HOME", "KERAS", "KMP", "LANG", "LC_", "LD_", "MALLOC_", "MKL", "NUMPY", "NVIDIA", "OMP",
    "OPENBLAS", "PATH", "PROTOCOL_BUFFERS", "PYTHON", "TF", "TZ", "XLA",
)  # fmt: skip

# Their imports start threads that know of forks (OpenBLAS, which NumPy and SciPy each bring) or that
# nothing misses. Their later threads, such as those of TensorFlow's sessions, are another matter.
TRUSTED = ("tensorflow", "numpy", "scipy", "scipy.linalg")

# Runs in the fork server: binds `reason`. An *existing* context object is harmless (a seed or a
# device setting makes one); an initialised one has thread pools, which a fork loses.
CHECK = """
import sys
reason = None
for _name in ("tensorflow.python.eager.context", "tensorflow_core.python.eager.context"):
    _context = getattr(sys.modules.get(_name), "_context", None)
    if getattr(_context, "_initialized", False) or getattr(_context, "_context_handle", None) is not None:
        reason = "TensorFlow is initialised already (a session, a tensor or a device list at import time)"
"""


class _Server:
    """One fork server, and the number of each request: an answer whose caller was interrupted is nobody else's."""

    def __init__(self, companion: Companion) -> None:
        self.companion = companion
        # Of the request to preload, until it is answered: who comes next goes on waiting for it.
        self.preloading: int | None = None
        self.is_ready = False
        self._numbers = itertools.count(1)

    def send(self, request: Message, descriptors: tuple[int, ...] = ()) -> int:
        """The number that its answer will have."""
        number = next(self._numbers)
        self.companion.channel.send({**request, "id": number}, descriptors)
        return number

    def answer(self, number: int, seconds: float) -> Message | None:
        """The answer to a request; None when there is none in time."""
        deadline = monotonic() + seconds
        with contextlib.suppress(ChannelLateError):
            channel = self.companion.channel
            while (remaining := deadline - monotonic()) > 0 and channel.has_news(remaining):
                answer = channel.receive(remaining)
                if answer.get("id") == number:
                    return answer
        return None


class ForkServers:
    """Keeps one fork server per interpreter, preload and import-time environment."""

    name = ForkServer().name

    def __init__(self, supervisor: Supervisor, new_lease: Callable[[], int], temporary: Callable[[], str]) -> None:
        self._supervisor = supervisor
        self._new_lease = new_lease
        # A folder for the temporary files of fork servers, which outlive the kernel that was asked for first.
        self._temporary = temporary
        self._servers: collections.OrderedDict[tuple[object, ...], _Server] = collections.OrderedDict()
        self._turns = Turns()
        self.cold_starts = 0

    @property
    def servers(self) -> tuple[ProcessId, ...]:
        """The processes of the fork servers, the one that was used last at the end."""
        return tuple(server.companion.process for server in self._servers.values())

    def launch(self, wanted: Launch) -> ProcessId:
        """See `Maker`. The first launch imports the preload, within the spec's start timeout."""
        with self._turns.next():
            key = _key(wanted)
            if key in self._servers and self._servers[key].companion.has_ended():
                # Killed while it had nothing to do: the next one is as good.
                self._drop(key)
            server = self._servers.get(key) or self._start(key, wanted)
            self._servers.move_to_end(key)
            self._await_preload(key, server, wanted)
            request = {"kind": "fork", "order": {**wanted.order.for_child(), "environment": dict(wanted.environment)}}
            descriptors = (wanted.stdout, wanted.stderr, wanted.channel, wanted.stacks)
            answer = self._ask(key, server, lambda: server.send(request, descriptors), _FORK_SECONDS, "fork")
        if answer["kind"] == "refused":
            advice = ", or ".join(filter(None, (answer["advice"], "use provisioner='subprocess'")))
            raise ForkRefusedError(f"the fork server refuses to fork: {answer['reason']}; {advice}")
        return ProcessId(answer["pid"], answer["start_time"])

    def elegy(self, process: ProcessId) -> str:  # noqa: ARG002 - a kernel outlives its fork server
        """See `Maker`."""
        return ""

    def close(self) -> None:
        """End the fork servers."""
        with self._turns.next():
            for key in list(self._servers):
                self._drop(key)

    def _start(self, key: tuple[object, ...], wanted: Launch) -> _Server:
        while len(self._servers) >= _MAX_SERVERS:
            self._drop(next(iter(self._servers)))
        self.cold_starts += 1
        command = Command(
            [wanted.interpreter.executable, "-u", str(CHILD_FOLDER), "forkserver"],
            environment_beside(wanted.environment, self._temporary()),
            Order(self._new_lease(), wanted.order.folder),
        )
        server = self._servers[key] = _Server(Companion.start(self._supervisor, command).keep())
        return server

    def _await_preload(self, key: tuple[object, ...], server: _Server, wanted: Launch) -> None:
        """Have it import the preload, unless it has; also when whoever has asked for that was interrupted."""
        modules = list(_chosen(wanted).modules)
        if server.is_ready:
            return
        request = {
            "kind": "preload",
            "modules": modules,
            "trusted": list(TRUSTED),
            "check": CHECK,
            "sys_path": list(_search_path(wanted)),
        }

        def ask() -> int:
            if server.preloading is None:
                server.preloading = server.send(request)
            return server.preloading

        answer = self._ask(key, server, ask, wanted.spec.start_timeout, "preload")
        if answer["kind"] == "failed":
            self._drop(key)
            error = answer["error"]
            raise KernelStartError(
                f"{wanted.interpreter.executable} can't import {', '.join(modules)}: {error.get('type')}:"
                f" {error.get('message')}; install it there, or name other modules with"
                " provisioner=ForkServer(preload=(...))"
            )
        server.is_ready = True

    def _ask(
        self, key: tuple[object, ...], server: _Server, send: Callable[[], int], seconds: float, what: str
    ) -> Message:
        """The answer to what `send` sends. Raises KernelStartError, and the server has ended."""
        try:
            answer = server.answer(send(), seconds)
            if answer is not None and _is_whole(answer, what):
                return answer
            why = f"did not answer for {seconds:.0f} s" if answer is None else "gave an unexpected answer"
        except (ChannelClosedError, ChannelTornError) as error:
            why = server.companion.fate(f"closed its channel ({error})")
        words = server.companion.last_words()
        self._drop(key)
        raise KernelStartError(f"the fork server {why} on {what}{words}")

    def _drop(self, key: tuple[object, ...]) -> None:
        companion = self._servers.pop(key).companion
        companion.end()
        companion.close()


def _is_whole(answer: Message, what: str) -> bool:
    """Whether it has all that we read of it: what is preloaded may write to the channel, too."""
    kinds = _ANSWERS[what]
    if answer["kind"] not in kinds:
        return False
    return all(isinstance(answer.get(name), kind) for name, kind in kinds[answer["kind"]].items())


def _chosen(wanted: Launch) -> ForkServer:
    made_by = wanted.spec.made_by
    return made_by if isinstance(made_by, ForkServer) else ForkServer()


def _search_path(wanted: Launch) -> tuple[str, ...]:
    """Where modules of the user's own are found; TensorFlow needs none of it, and all can share it."""
    return () if _chosen(wanted).preload is None else wanted.spec.sys_path


def _key(wanted: Launch) -> tuple[object, ...]:
    variables = tuple(sorted(pair for pair in wanted.environment.items() if pair[0].startswith(IMPORT_TIME)))
    return wanted.interpreter.executable, _chosen(wanted).modules, _search_path(wanted), variables
