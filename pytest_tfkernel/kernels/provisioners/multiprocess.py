"""Kernels that are a `multiprocess.Process`, each in a host process of its own."""

from __future__ import annotations

import collections
import contextlib
import json
import posix
from collections.abc import Callable
from dataclasses import dataclass

from pytest_tfkernel._child import host_multiprocess as child
from pytest_tfkernel.kernels.provisioners.base import Launch
from pytest_tfkernel.model.errors import KernelStartError, SupervisorGoneError
from pytest_tfkernel.model.processes import ExitStatus, ProcessId
from pytest_tfkernel.model.provisioners import Multiprocess
from pytest_tfkernel.processes.companions import Command, Companion, environment_beside
from pytest_tfkernel.processes.descriptors import Owned
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.pidfds import close, is_dead, open_pidfd
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER, Supervisor
from pytest_tfkernel.processes.turns import Turns
from pytest_tfkernel.processes.waits import monotonic, ready
from pytest_tfkernel.processes.wire import Channel, ChannelClosedError, ChannelLateError, ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# How many interpreters a start takes: the host's, and that of the kernel or of the fork server.
_INTERPRETERS = {"spawn": 2, "forkserver": 2, "fork": 1}
# For the word of a death that has happened.
_DEATH_SECONDS = 1.0
# Words of the dead that nobody asked for.
_KEPT = 1000


@dataclass(frozen=True)
class Told:
    """What multiprocess said of a process that has died, and what its host knew without multiprocess.

    `exitcode` and `is_alive` are those of its `Process`. `sentinel_time` and `pipe_time` are the CLOCK_MONOTONIC
    seconds at which its `sentinel` and the other end of a `Pipe` that it held became ready, None when they had not a
    second after the death. `exit_status` is that of waitid(2); None with the start method `forkserver`, where
    the host isn't the parent and `exitcode` is all there is.
    """

    exitcode: int | None
    is_alive: bool
    sentinel_time: float | None
    pipe_time: float | None
    exit_status: ExitStatus | None

    @property
    def said(self) -> ExitStatus | None:
        """What `exitcode` says in our words. 255 is also what multiprocess makes up when its fork server died."""
        if self.exitcode is None:
            return None
        return ExitStatus(signal=-self.exitcode) if self.exitcode < 0 else ExitStatus(code=self.exitcode)


class MultiprocessHosts:
    """Starts a host for each kernel, and in it a `Process` by one start method: spawn, forkserver or fork.

    A kernel dies with its host.
    """

    def __init__(
        self, method: str, supervisor: Supervisor, new_lease: Callable[[], int], temporary: Callable[[], str]
    ) -> None:
        self.name = Multiprocess(method).name
        self.cold_starts = 0
        self._method = method
        self._supervisor = supervisor
        self._new_lease = new_lease
        # A folder for the temporary files of hosts, which are none of their kernels'.
        self._temporary = temporary
        self._hosts: dict[ProcessId, Companion] = {}
        self._told: collections.OrderedDict[ProcessId, Told] = collections.OrderedDict()
        # One for the words of all hosts: the death of a kernel leaves nothing open here.
        self._words: tuple[Owned, Owned] | None = None
        self._heard: collections.deque[bytes] = collections.deque()
        self._turns = Turns()

    def host_of(self, process: ProcessId) -> ProcessId | None:
        """The host of a kernel; None when it has said its last word."""
        host = self._hosts.get(process)
        return None if host is None else host.process

    def launch(self, wanted: Launch) -> ProcessId:
        """See `Maker`."""
        with self._turns.next():
            self._hear()
            self._forget([process for process, host in self._hosts.items() if host.has_ended()])
            order = Order(self._new_lease())
            try:
                host = self._start(wanted, order)
            except BaseException:
                # Of a caller who was interrupted: it may have been started.
                self._end(order.lease)
                raise
            try:
                process = self._ask(wanted, host)
            except BaseException:
                # It may hang, and the kernel be half made.
                self._end(order.lease, wanted.order.lease)
                host.log.close()
                raise
            finally:
                host.channel.close()
            self._hosts[process] = host
            return process

    def _end(self, *leases: int) -> None:
        for lease in leases:
            with contextlib.suppress(SupervisorGoneError):
                self._supervisor.end(lease)

    def told(self, process: ProcessId, seconds: float = 5.0) -> Told | None:
        """What multiprocess said of the death of a kernel; None when it said nothing, as where the host died, too.

        Waits up to `seconds` for it: it comes at once, or a second after the death where a sentinel stays silent. The
        last 1000 are kept.
        """
        with self._turns.next():
            host = self._hosts.get(process)
            if host is not None and self._words is not None:
                self._await(process, host.process, self._words[0].number, monotonic() + seconds)
            return self._told.get(process)

    def elegy(self, process: ProcessId) -> str:
        """See `Maker`: a host that crashes takes its kernel along."""
        with self._turns.next():
            host = self._hosts.get(process)
            if host is None:
                return ""
            gone = host.has_ended()
            death = self._supervisor.death_of(host.process, _DEATH_SECONDS) if gone else None
            words = host.last_line()
            # One that lives has yet to say what it saw, and needs no log any more.
            host.log.close()
        if death is None or death.status.code == 0:
            return ""
        return f"its host, process {host.process}, had died of {death.status}, and the kernel with it{words}"

    def close(self) -> None:
        """End the hosts, and with them their kernels."""
        with self._turns.next():
            for host in self._hosts.values():
                host.end()
            self._forget(list(self._hosts))
            for end in self._words or ():
                end.close()
            self._words = None

    def _forget(self, processes: list[ProcessId]) -> None:
        for process in processes:
            host = self._hosts.pop(process, None)
            if host is not None:
                host.log.close()

    def _start(self, wanted: Launch, order: Order) -> Companion:
        if self._words is None:
            reader, writer = map(Owned.take, posix.pipe2(posix.O_CLOEXEC | posix.O_NONBLOCK))
            self._words = reader, writer
            self._supervisor.kept.add(reader, writer)
        self.cold_starts += _INTERPRETERS[self._method]
        command = Command(
            [wanted.interpreter.executable, "-u", str(CHILD_FOLDER), "host_multiprocess"],
            environment_beside(wanted.environment, self._temporary()),
            # Not the kernel's folder, to which that one goes by itself: `python -c`, as multiprocess starts what it
            # spawns, takes a `random.py` there for the one of the standard library.
            order,
            {child.WORDS: self._words[1].number},
            reports=True,
        )
        return Companion.start(self._supervisor, command)

    def _ask(self, wanted: Launch, host: Companion) -> ProcessId:
        """Have the host start its kernel. Raises KernelStartError."""
        request = {
            "kind": "start",
            "method": self._method,
            "order": wanted.order.for_child(),
            "environment": dict(wanted.environment),
        }
        seconds = wanted.spec.start_timeout
        try:
            host.channel.send(request, (wanted.stdout, wanted.stderr, wanted.channel, wanted.stacks))
            answer = _answer(host.channel, seconds)
        except (ChannelClosedError, ChannelTornError) as error:
            raise self._failed(host, host.fate(f"closed its channel ({error})")) from None
        if answer is None:
            raise self._failed(host, f"did not start a process within {seconds:g} s")
        if answer["kind"] == "missing":
            python = wanted.interpreter.executable
            raise KernelStartError(
                f"{python} has no multiprocess, which provisioner={self.name!r} starts kernels with:"
                f" {python} -m pip install multiprocess"
            )
        if answer["kind"] == "failed":
            raise self._failed(host, f"failed with {answer['error']['type']}: {answer['error']['message']}")
        if answer["kind"] != "started" or not all(type(answer.get(name)) is int for name in ("pid", "start_time")):
            raise self._failed(host, "gave an unexpected answer")
        return ProcessId(answer["pid"], answer["start_time"])

    def _failed(self, host: Companion, why: str) -> KernelStartError:
        return KernelStartError(f"the host of {self.name} {why}{host.last_words()}")

    def _await(self, process: ProcessId, host: ProcessId, words: int, deadline: float) -> None:
        """Until the word on a process has come, or its host is dead."""
        pidfd = open_pidfd(host)
        try:
            while True:
                # Asked before, since its last act is to say it.
                dead = pidfd is None or is_dead(pidfd)
                self._hear()
                remaining = deadline - monotonic()
                if process in self._told or dead or remaining <= 0:
                    return
                ready(remaining, words, *([] if pidfd is None else [pidfd]))
        finally:
            if pidfd is not None:
                close(pidfd)

    def _hear(self) -> None:
        """Read what hosts have said."""
        if self._words is None or not self._words[0].is_ours():
            return
        with contextlib.suppress(BlockingIOError):
            # Kept by one call of C code: between it and the next one we may be interrupted.
            self._heard.extend(map(posix.read, (self._words[0].number,), (1 << 16,)))
            while self._heard[-1]:
                self._heard.extend(map(posix.read, (self._words[0].number,), (1 << 16,)))
        heard = b"".join(self._heard)
        *lines, rest = heard.split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                self._note(json.loads(line))
        self._heard = collections.deque([rest])

    def _note(self, word: Message) -> None:
        process = ProcessId(word["pid"], word["start_time"])
        self._told[process] = _told(word)
        self._forget([process])
        if len(self._told) > _KEPT:
            self._told.popitem(last=False)


def _answer(channel: Channel, seconds: float) -> Message | None:
    """The one answer of a host; None when it does not come in time."""
    deadline = monotonic() + seconds
    try:
        return channel.receive(deadline - monotonic()) if channel.has_news(seconds) else None
    except ChannelLateError:
        return None


def _told(word: Message) -> Told:
    status = word["status"]
    return Told(
        word["exitcode"],
        word["alive"],
        word["sentinel"],
        word["pipe"],
        None if status is None else ExitStatus.from_wait(status),
    )
