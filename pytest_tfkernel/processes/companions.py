"""Processes of ours beside kernels, each with a channel, a log and a lease; helpers are such ones that are asked."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_tfkernel._child import proc
from pytest_tfkernel._child.kin import TOKEN
from pytest_tfkernel.model.errors import KernelStartError, SupervisorGoneError
from pytest_tfkernel.model.processes import Leftover, ProcessId
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.output import epitaphs
from pytest_tfkernel.processes.output.captures import Capture
from pytest_tfkernel.processes.search_path import search_path
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER, Supervisor
from pytest_tfkernel.processes.waits import monotonic
from pytest_tfkernel.processes.wire import Channel, ChannelClosedError, ChannelLateError, ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# Where a companion has it.
_CHANNEL = 3
_END_SECONDS = 1.0
# For the word of a death that has happened.
_DEATH_SECONDS = 1.0
_ENDED = ("Z", "X", proc.HEADLESS)


@dataclass(frozen=True)
class Command:
    """What a companion is started with; the last word of `argv` is its role. For the others see `Supervisor.start`."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    order: Order
    descriptors: Mapping[int, int] = field(default_factory=dict)
    reports: bool = False


@dataclass(frozen=True)
class Companion:
    """A process beside kernels: what it says in its channel, what it prints in its log, and the lease that it wears."""

    process: ProcessId
    channel: Channel
    lease: int
    log: Capture
    supervisor: Supervisor

    @classmethod
    def start(cls, supervisor: Supervisor, command: Command) -> Companion:
        """Start one. Raises KernelStartError when exec fails."""
        with contextlib.ExitStack() as undo:
            log = Capture(command.argv[-1])
            undo.callback(log.close)
            # Closed where the start fails: one that was started in spite of that ends at the end of its channel.
            channel, theirs = Channel.pair()
            undo.callback(channel.close)
            try:
                given = {1: log.descriptor, 2: log.descriptor, _CHANNEL: theirs.fileno(), **command.descriptors}
                process = supervisor.start(
                    command.argv, command.environment, command.order, given, reports=command.reports
                )
            finally:
                # Only its own end may keep it open.
                theirs.close()
            undo.pop_all()
        return cls(process, channel, command.order.lease, log, supervisor)

    def keep(self) -> Companion:
        """Have what is ours of it known as the session's, whichever kernels come and go; itself."""
        self.supervisor.kept.add(self.channel, self.log)
        return self

    def has_ended(self) -> bool:
        """Whether it is dead, or its first thread has ended and it serves nobody any more."""
        stat = proc.read_stat(self.process.pid)
        return stat is None or stat.start_time != self.process.start_time or stat.state in _ENDED

    def fate(self, otherwise: str) -> str:
        """What it died of, in words that follow its name; `otherwise` when that isn't known."""
        death = self.supervisor.death_of(self.process, _DEATH_SECONDS)
        return f"died of {death.status}" if death is not None else otherwise

    def last_line(self) -> str:
        """What it printed last, in words to be added; "" when it printed nothing."""
        return epitaphs.last_line(self.log)

    def last_words(self) -> str:
        """As `last_line`, with the stack of a crash."""
        return epitaphs.last_words(self.log)

    def end(self, seconds: float = 10.0) -> list[Leftover]:
        """End it and all that it has started; what would not die, none when the supervisor is gone."""
        try:
            return self.supervisor.end(self.lease, seconds)
        except SupervisorGoneError:
            return []

    def close(self) -> None:
        """Free what is ours of it; it ends by itself then, but for one that hangs."""
        self.channel.close()
        self.log.close()


def environment_beside(variables: Mapping[str, str], temporary: str) -> dict[str, str]:
    """That of a companion of kernels with these variables, such as a fork server: of no single one of them."""
    return {name: text for name, text in variables.items() if name != TOKEN} | {"TMPDIR": temporary}


class Helper:
    """One role of `_child`, in a process under the supervisor; started when it is first asked, and again after a death.

    `python` is pytest's own unless another one is given. Not safe to use from several threads at once.
    """

    def __init__(
        self,
        role: str,
        supervisor: Supervisor,
        new_lease: Callable[[], int],
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
    ) -> None:
        self._role = role
        self._supervisor = supervisor
        self._new_lease = new_lease
        self._environment = environment
        self._python = python
        self._numbers = itertools.count()
        self._companion: Companion | None = None
        self._stuck = ""

    @property
    def process(self) -> ProcessId | None:
        """The one that is asked, if there is one."""
        return self._companion.process if self._companion is not None else None

    def ask(self, message: Mapping[str, object], seconds: float) -> Message:
        """The answer to one request; {"kind": "failed", "error", "hung"} when there is none within `seconds`."""
        if self._stuck:
            return _failed(self._stuck, hung=True)
        deadline = monotonic() + seconds
        number = next(self._numbers)
        try:
            if self._companion is None:
                self._companion = self._start()
            channel = self._companion.channel
            channel.send({**message, "id": number})
            with contextlib.suppress(ChannelLateError):
                while (remaining := deadline - monotonic()) > 0 and channel.has_news(remaining):
                    answer = channel.receive(remaining)
                    # Any other is of a request whose caller was interrupted.
                    if answer.get("id") == number:
                        return answer
        except (ChannelClosedError, KernelStartError, SupervisorGoneError, OSError) as error:
            why = self._epitaph(str(error))
            self.close()
            return _failed(f"the {self._role} helper ended: {why}", hung=False)
        except ChannelTornError as error:
            self.close()
            return _failed(f"the {self._role} helper's answer is unreadable: {error}", hung=True)
        late = f"no answer within {seconds:g} s"
        if self.close():
            # Another one would get stuck as well, and the session's end has to wait for each of them.
            self._stuck = f"{late}, and the {self._role} helper can't be ended: it waits in the driver"
        return _failed(self._stuck or late, hung=True)

    def close(self) -> bool:
        """End the process, if there is one; whether it would not die."""
        if self._companion is None:
            return False
        companion = self._companion
        survivors = companion.end(_END_SECONDS)
        companion.close()
        self._companion = None
        return bool(survivors)

    def _start(self) -> Companion:
        command = Command(
            # Its standard library first, then what is installed here: nobody's files stand for either.
            [self._python, "-I", "-S", "-u", str(CHILD_FOLDER), self._role],
            {**search_path(), **(self._environment if self._environment is not None else os.environ)},
            Order(self._new_lease()),
        )
        return Companion.start(self._supervisor, command).keep()

    def _epitaph(self, error: str) -> str:
        """What ended the process, and what it said last."""
        if self._companion is None:
            return error
        fate = ""
        with contextlib.suppress(SupervisorGoneError):
            fate = self._companion.fate("")
        return f"{f'it {fate}' if fate else error}{self._companion.last_line()}"


def _failed(error: str, *, hung: bool) -> Message:
    return {"kind": "failed", "error": error, "hung": hung}
