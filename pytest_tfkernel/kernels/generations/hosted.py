"""Kernels that are kept by the manager of somebody else, in a host process: each generation is told to us."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from pathlib import Path

from pytest_tfkernel.kernels.generations import homes
from pytest_tfkernel.kernels.generations.base import Supplies
from pytest_tfkernel.kernels.generations.host import Host
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.generations.parts import Parts, environment
from pytest_tfkernel.kernels.specs import kernelspecs
from pytest_tfkernel.model.errors import KernelStartError, SpecError, SupervisorGoneError
from pytest_tfkernel.model.kernels import Interpreter, KernelSpec
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.provisioners import Managed
from pytest_tfkernel.processes import scratch
from pytest_tfkernel.processes.cgroups import Cgroup
from pytest_tfkernel.processes.orders import Order, folder_of
from pytest_tfkernel.processes.output.captures import Capture
from pytest_tfkernel.processes.waits import monotonic
from pytest_tfkernel.processes.wire import Channel, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# A path of a Unix socket has at most 107 bytes (unix(7)), and those of Jupyter add some to that of their folder.
_LONGEST_FOLDER = 90
_GIVEN_UP = (
    "the restarter of jupyter_client has given up, since the kernel died again and again: call restart() for a new one"
)
_SHUT_DOWN = "its manager was asked to shut the kernel down, so it won't start another: call restart() for a new one"
# Each has a lease of its own.
_MOST_GENERATIONS = 1 << 20


class HostedGenerations:
    """The generations of one kernel; its host is started with the first one, and ends in `close`."""

    def __init__(self, supplies: Supplies, made_by: Managed, spec: KernelSpec, interpreter: Interpreter) -> None:
        self._supplies = supplies
        self._made_by = made_by
        self._spec = spec
        self._interpreter = interpreter
        self._host: Host | None = None
        self._cgroup: Cgroup | None = None
        # Told by the host, and not yet given to the kernel.
        self._untaken: list[Life] = []
        # The generation after whose death the manager does nothing more, and why.
        self._given_up_at, self._given_up_since = 0, ""

    def launch(self, generation: int, *, mute: bool = False) -> Life:  # noqa: ARG002 - see below
        """See `Generations`. A mute one says nothing until it has answered its host, and that takes it a while."""
        self.close()
        self._check()
        self._supplies.supervisor.check_ours()
        # Nothing is made where it can't work.
        folder_of(self._spec)
        self._cgroup = self._supplies.limiting_cgroup(self._spec)
        folder = self._make_folder()
        try:
            self._host = Host(self._supplies, folder)
            self._host.send(self._request(generation, folder))
            return self._next(monotonic() + self._spec.start_timeout)
        except BaseException:
            # Also of a caller who was interrupted: what the host does next, nobody knows.
            self.close()
            raise

    def succeed(self, generation: int, seconds: float, *, asked: bool) -> list[Life]:
        """See `Generations`."""
        if asked and (self._host is None or self._host.is_gone()):
            return [self.launch(generation + 1)]
        if self._host is None:
            raise KernelStartError("the kernel's host has ended: call restart() for a new one")
        try:
            return self._successors(self._host, generation, monotonic() + seconds, asked=asked)
        except KernelStartError:
            raise
        except BaseException:
            # What it has told and nobody has taken is lost. The next one begins anew.
            self.close()
            raise

    def _successors(self, host: Host, generation: int, deadline: float, *, asked: bool) -> list[Life]:
        while host.has_news():
            # Started while nobody was looking.
            self._untaken += self._hear(deadline)
        if asked and not (self._untaken and self._untaken[-1].is_alive):
            latest = self._untaken[-1].generation if self._untaken else generation
            host.send({"kind": "restart", "now": False, "generation": latest})
            self._untaken.append(self._next(deadline))
        elif not self._untaken:
            self._untaken.append(self._next(deadline, unless_given_up_at=generation))
        lives, self._untaken = self._untaken, []
        return lives

    def close(self) -> None:
        """End the host. The kernel has ended before, or does now."""
        if self._host is not None:
            self._host.close()
            self._host = None
        for life in self._untaken:
            with contextlib.suppress(SupervisorGoneError):
                life.end()
                life.bury()
                life.clean_up()
        self._untaken = []
        if self._cgroup is not None:
            with contextlib.suppress(SupervisorGoneError):
                self._cgroup.remove()
            self._cgroup = None

    def _check(self) -> None:
        """Raise SpecError where something is not installed."""
        if importlib.util.find_spec("jupyter_client") is None:
            raise SpecError(
                f"provisioner={self._made_by.name!r} needs jupyter_client beside pytest:"
                f" `{sys.executable} -m pip install 'pytest-tfkernel[{self._made_by.name}]'`"
            )
        homeless = homes.missing(environment(self._spec, 0, Path("/")))
        if homeless:
            raise SpecError(f"provisioner={self._made_by.name!r} is {homeless}")
        kernelspec, need = self._made_by.kernelspec, self._made_by.need
        if kernelspec is not None:
            kernelspecs.interpreter_of(kernelspec)
        # Elsewhere it is found by the kernel only.
        is_visible = kernelspec is None and "PYTHONPATH" not in self._spec.environment
        if need is not None and is_visible and need.module not in self._interpreter.packages:
            python, package = self._interpreter.executable, need.package
            raise SpecError(f"python={python!r} has no {package}: `{python} -m pip install {package}`")

    def _make_folder(self) -> Path:
        """For connection files and sockets; nobody else may look into it."""
        folder = self._supplies.new_temporary()
        folder.chmod(0o700)
        if len(os.fsencode(folder)) <= _LONGEST_FOLDER:
            return folder
        supervisor = self._supplies.supervisor
        short = scratch.make(
            lambda path, descriptor: supervisor.hold(path, contents=True, lock=descriptor),
            Path("/tmp"),  # noqa: S108 - of our own name, and for us alone
        )
        short.close()
        return short.path

    def _request(self, generation: int, folder: Path) -> Message:
        spec = self._spec
        cgroups = self._cgroup.procs_files if self._cgroup is not None else ()
        order = Order.of(spec, self._supplies.new_leases(_MOST_GENERATIONS), cgroups)
        variables = environment(spec, 0, folder)
        if self._made_by.kernelspec is None:
            # A history and a profile of its own: a person's are for that person.
            variables.setdefault("IPYTHONDIR", str(folder / "ipython"))
        return {
            "kind": "start",
            "kernelspec": self._made_by.kernelspec,
            "argv": [self._interpreter.executable, *self._made_by.arguments],
            "env": {},
            "environment": variables,
            "order": order.for_child(),
            "temporary": str(folder),
            "generation": generation,
            "time_to_dead": self._made_by.restart_poll,
        }

    def _next(self, deadline: float, *, unless_given_up_at: int | None = None) -> Life:
        """The next generation that the host starts. Raises KernelStartError."""
        while unless_given_up_at is None or unless_given_up_at > self._given_up_at:
            if lives := self._hear(deadline):
                return lives[0]
        raise KernelStartError(self._given_up_since)

    def _hear(self, deadline: float) -> list[Life]:
        """What the host tells next: one generation, or something else. Raises KernelStartError."""
        if self._host is None:
            raise KernelStartError("the kernel's host has ended: call restart() for a new one")
        message, descriptors = self._host.receive(deadline)
        if message["kind"] == "failed":
            raise KernelStartError(f"the kernel's manager can't start it: {message['error']}")
        if message["kind"] in ("dead", "shut-down"):
            self._given_up_at = message["generation"]
            self._given_up_since = _GIVEN_UP if message["kind"] == "dead" else _SHUT_DOWN
        if message["kind"] != "started":
            return []
        self._supplies.note_cold_start()
        channel, stdout, stderr, stacks = descriptors
        parts = Parts(
            Channel(channel),
            Capture("stdout", stdout),
            Capture("stderr", stderr),
            Capture("stacks", stacks),
            message["lease"],
            self._cgroup,
            Path(message["temporary"]),
            self._host.elegy,
            host=self._host.process,
        )
        process = ProcessId(message["pid"], message["start_time"])
        return [Life(self._supplies.supervisor, process, parts, message["generation"])]
