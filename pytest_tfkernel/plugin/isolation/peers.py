"""One process of isolation, as pytest sees it: what it is asked, what it tells, and what it died of."""

from __future__ import annotations

import contextlib
import posix
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.model.processes import Leftover, PostMortem
from pytest_tfkernel.plugin.isolation import codec
from pytest_tfkernel.processes.descriptors import Owned
from pytest_tfkernel.processes.waits import Event, monotonic
from pytest_tfkernel.processes.wire import Channel, ChannelClosedError, ChannelLateError, ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# What is shown of a stream.
_TAIL_BYTES = 64 * 1024
_FOREVER = 1e9
# To end by itself when it was asked to, and to tear its fixtures down after Ctrl-C.
_END_SECONDS = 10.0
_INTERRUPT_SECONDS = 5.0


class DiedError(Exception):
    """The process is dead, by itself or at its deadline."""

    def __init__(self, post_mortem: PostMortem) -> None:
        super().__init__(post_mortem.headline())
        self.post_mortem = post_mortem


class PhaseOutput:
    """A file in which pytest captures one stream of a test; it holds what the phase that runs has printed."""

    def __init__(self, name: str) -> None:
        self.owned = Owned.take(posix.memfd_create(f"tfkernel-{name}", posix.MFD_CLOEXEC))

    def read(self) -> str:
        """Its end, as text."""
        if not self.owned.is_ours():
            return ""
        size = posix.fstat(self.owned.number).st_size
        data = posix.pread(self.owned.number, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
        return data.decode("utf-8", "backslashreplace")

    def close(self) -> None:
        """Free it."""
        self.owned.close()


@dataclass(frozen=True)
class Peer:
    """A process and our end of its channel. `phases` are what pytest captures there of stdout and stderr."""

    life: Life
    channel: Channel
    phases: tuple[PhaseOutput, ...] = ()

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Ask something. That it is dead is found by whoever waits for the answer."""
        with contextlib.suppress(ChannelClosedError, ChannelTornError):
            self.channel.send(message, descriptors)

    def ask(self, message: Message, descriptors: tuple[int, ...] = ()) -> Message:
        """The one answer to a request that nothing comes before. Raises DiedError."""
        self.send(message, descriptors)
        for answer in self.told():
            return answer
        raise AssertionError("what it tells has no end but its death")

    def told(self, last: Collection[str] = (), seconds: float | None = None) -> Iterator[Message]:
        """What it tells, until a kind that is among `last`. Raises DiedError, also when `seconds` are over."""
        deadline = monotonic() + (_FOREVER if seconds is None else seconds)
        while True:
            message = self._next(deadline)
            yield message
            if message.get("waits"):
                self.send({"kind": "heard"})
            if message["kind"] in last:
                return

    def _next(self, deadline: float) -> Message:
        while True:
            event = self.life.wait(deadline - monotonic())
            if event is Event.DEADLINE:
                self._strike()
            if event is Event.DEATH:
                raise DiedError(self.life.bury())
            try:
                return self.channel.receive(max(1.0, deadline - monotonic()))
            except ChannelLateError:
                self._strike()
            except ChannelTornError as error:
                self.life.end(f"its channel is unusable: {error}")
            except ChannelClosedError:
                self.life.closing()
            raise DiedError(self.life.bury())

    def _strike(self) -> None:
        self.life.dump_stacks()
        self.life.end("it was to end by then", deadline=True)
        raise DiedError(self.life.bury())

    def interrupt(self) -> None:
        """Ctrl-C: let it tear down what the running test has set up."""
        self.life.interrupt()
        with contextlib.suppress(DiedError):
            for _ in self.told(("interrupted", "ran", "exit"), _INTERRUPT_SECONDS):
                pass

    def finish(self, leave: Callable[[dict[str, Any]], None]) -> tuple[PostMortem, bool]:
        """Have it end as a session of pytest does; how it ended, and whether it did so as it had said.

        What the session leaves is for `leave`.
        """
        self.send({"kind": "finish"})
        try:
            for told in self.told(("finished",), _END_SECONDS):
                if told["kind"] == "left":
                    leave(codec.decode(told["output"]))
        except DiedError as error:
            return error.post_mortem, False
        post_mortem = self.farewell()
        status = post_mortem.exit_status
        return post_mortem, status is not None and status.code == told["status"]

    def printed(self) -> tuple[str, str]:
        """What pytest has captured in the phase that runs: stdout and stderr."""
        out, err = (phase.read() for phase in self.phases) if self.phases else ("", "")
        return out, err

    def farewell(self) -> PostMortem:
        """How it ended when it was to end; after some seconds it has to."""
        if self.life.wait(_END_SECONDS, channel=False) is not Event.DEATH:
            self.life.dump_stacks()
            self.life.end("it did not end when its tests had", deadline=True)
        return self.life.bury()

    def bury(self) -> list[Leftover]:
        """Free what is ours of it, and end what it has left running, which is the answer."""
        if self.life.is_alive:
            self.life.end()
        self.life.bury()
        left = self.life.clean_up()
        for phase in self.phases:
            phase.close()
        return left
