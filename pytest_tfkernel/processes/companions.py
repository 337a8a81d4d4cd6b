"""Helpers: small processes of ours that do one thing which might hang or crash, at a distance."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Callable, Mapping

from pytest_tfkernel.model.errors import KernelStartError, SupervisorGoneError
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.isolation import search_path
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.output.captures import Capture
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER, Supervisor
from pytest_tfkernel.processes.waits import monotonic
from pytest_tfkernel.processes.wire import Channel, ChannelClosedError, ChannelLateError, ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_CHANNEL = 3
_END_SECONDS = 1.0


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
        self._channel: Channel | None = None
        self._lease = 0
        self._log: Capture | None = None
        self._stuck = ""
        self.process: ProcessId | None = None

    def ask(self, message: Mapping[str, object], seconds: float) -> Message:
        """The answer to one request; {"kind": "failed", "error", "hung"} when there is none within `seconds`."""
        if self._stuck:
            return _failed(self._stuck, hung=True)
        deadline = monotonic() + seconds
        number = next(self._numbers)
        try:
            channel = self._channel or self._start()
            channel.send({**message, "id": number})
            with contextlib.suppress(ChannelLateError):
                while (remaining := deadline - monotonic()) > 0 and channel.has_news(remaining):
                    answer = channel.receive(remaining)
                    # Any other is of a request whose caller was interrupted.
                    if answer.get("id") == number:
                        return answer
        except (ChannelClosedError, KernelStartError, SupervisorGoneError, OSError) as error:
            why = self._epitaph() or str(error)
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
        if self._channel is None or self._log is None:
            return False
        try:
            survivors = self._supervisor.end(self._lease, _END_SECONDS)
        except SupervisorGoneError:
            survivors = []
        self._forget()
        return bool(survivors)

    def _forget(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._log is not None:
            self._log.close()
        self._channel = self._log = self.process = None

    def _start(self) -> Channel:
        self._log, self._lease = Capture(self._role), self._new_lease()
        try:
            self._channel, theirs = Channel.pair()
            try:
                self.process = self._supervisor.start(
                    # Its standard library first, then what is installed here: nobody's files stand for either.
                    [self._python, "-I", "-S", "-u", str(CHILD_FOLDER), self._role],
                    {**search_path(), **(self._environment if self._environment is not None else os.environ)},
                    Order(self._lease),
                    {1: self._log.descriptor, 2: self._log.descriptor, _CHANNEL: theirs.fileno()},
                )
            finally:
                theirs.close()
            self._supervisor.kept.add(self._channel, self._log)
        except BaseException:
            # One that was started in spite of that ends at the end of its channel.
            self._forget()
            raise
        return self._channel

    def _epitaph(self) -> str:
        """What ended the process, by its last words or by its exit status."""
        words = self._log.read(0, 4096)[0].strip() if self._log is not None else ""
        if words or self.process is None:
            return words.splitlines()[-1] if words else ""
        try:
            death = self._supervisor.death_of(self.process, _END_SECONDS)
        except SupervisorGoneError:
            return ""
        return f"it died of {death.status}" if death is not None else ""


def _failed(error: str, *, hung: bool) -> Message:
    return {"kind": "failed", "error": error, "hung": hung}
