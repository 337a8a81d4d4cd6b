"""One process of isolation, as pytest sees it: what it is asked, what it tells, and what it died of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.model.errors import SupervisorGoneError
from pytest_tfkernel.model.processes import Leftover, PostMortem
from pytest_tfkernel.plugin.isolation import forms
from pytest_tfkernel.plugin.isolation.phases import CLAIMS, PhaseOutput
from pytest_tfkernel.processes.waits import Event, monotonic
from pytest_tfkernel.processes.wire import Channel, ChannelClosedError, ChannelLateError, ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_FOREVER = 1e9
# How often we look whether a test prints more than there is room for.
_LOOK_SECONDS = 0.1
# To end by itself when it was asked to, and to tear its fixtures down after Ctrl-C.
_END_SECONDS = 10.0
_INTERRUPTED = ("interrupted", "ran", "exit", "collected", "finished")
_INTERRUPT_SECONDS = 5.0
# For stacks at a deadline. Where they come without a signal, too, that is a little later, and sure.
_STACKS_SECONDS, _SURE_SECONDS = 0.3, 5.0


@dataclass(frozen=True)
class ProcessDeath:
    """How a process ended, and what the phase that ran then had printed, by the name of the stream.

    `internal` says what pytest there has failed of, if it has, and `claims` what its test has made, for the gate.
    """

    post_mortem: PostMortem
    printed: Mapping[str, str] = field(default_factory=dict)
    internal: str = ""
    claims: str = ""


class DiedError(Exception):
    """The process is dead, by itself or at its deadline."""

    def __init__(self, death: ProcessDeath) -> None:
        super().__init__(death.post_mortem.headline())
        self.death = death


@dataclass
class Peer:
    """A process and our end of its channel. `phases` are what is captured there of a test; `left` was left running.

    `is_armed` says that it writes its stacks at its deadline, whether it takes signals then or not.
    """

    life: Life
    channel: Channel
    phases: tuple[PhaseOutput, ...] = ()
    left: list[Leftover] = field(default_factory=list)
    is_armed: bool = False
    internal: str = ""

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Ask something. That it is dead is found by whoever waits for the answer."""
        with contextlib.suppress(ChannelClosedError, ChannelTornError):
            self.channel.send(message, descriptors)

    def ask(self, message: Message, descriptors: tuple[int, ...] = ()) -> Message:
        """The one answer to a request that nothing comes before. Raises DiedError."""
        self.send(message, descriptors)
        answer = next(self.told())
        try:
            forms.check_answer(message["kind"], answer)
        except ChannelTornError as error:
            self.tear(str(error))
        return answer

    def told(self, last: Collection[str] = (), seconds: float | None = None) -> Iterator[Message]:
        """What it tells, until a kind that is among `last`. Raises DiedError, also when `seconds` are over."""
        deadline = monotonic() + (_FOREVER if seconds is None else seconds)
        self.is_armed = False
        while True:
            message = self._next(deadline)
            self.is_armed = self.is_armed or message["kind"] == "armed"
            if message["kind"] == "internal":
                self.internal = self.internal or message["text"]
            yield message
            if message.get("waits"):
                self.send({"kind": "heard"})
            if message["kind"] in last:
                return

    def _next(self, deadline: float) -> Message:
        while True:
            event = self.life.wait(min(_LOOK_SECONDS, deadline - monotonic()))
            for phase in self.phases:
                phase.bound()
            if event is Event.DEADLINE:
                if monotonic() >= deadline:
                    self._strike("it ran longer than it may")
                continue
            if event is Event.DEATH:
                raise DiedError(self._death())
            try:
                message = self.channel.receive(max(1.0, deadline - monotonic()))
                forms.check(message)
            except ChannelLateError:
                self._strike("it told something half, and ran longer than it may")
            except ChannelTornError as error:
                self.tear(str(error))
            except ChannelClosedError:
                self.life.closing()
                raise DiedError(self._death()) from None
            return message

    def tear(self, why: str) -> NoReturn:
        """End it, since what it tells can't be read. Raises DiedError."""
        self.life.end(f"what it told pytest by descriptor 3 can't be read: {why}")
        raise DiedError(self._death())

    def _strike(self, why: str) -> NoReturn:
        self._end_late(why)
        raise DiedError(self._death())

    def _end_late(self, why: str) -> None:
        self.life.dump_stacks(_SURE_SECONDS if self.is_armed else _STACKS_SECONDS, unasked=self.is_armed)
        # They end with it: nobody can find them later.
        self.left.extend(one for one in self.life.leftovers(0) if one.state != "Z")
        self.life.end(why, deadline=True)

    def _death(self) -> ProcessDeath:
        post_mortem = self.life.bury()
        printed = {phase.name: text for phase in self.phases if (text := phase.read())}
        claims = printed.pop(CLAIMS, "")
        return ProcessDeath(post_mortem, printed, self.internal, claims)

    def interrupt(self, hear: Callable[[Message], object] = lambda _: None) -> Message | None:
        """Ctrl-C: let it tear down what the running test has set up; what it says of that, such as where it was.

        What it tells before is for `hear`.
        """
        self.life.interrupt()
        with contextlib.suppress(DiedError):
            for told in self.told(_INTERRUPTED, _INTERRUPT_SECONDS):
                if told["kind"] == "interrupted":
                    return told
                hear(told)
        return None

    def hurry(self) -> None:
        """Ctrl-C while its session ends: interrupt that, and wait for its end; after some seconds for nothing."""
        self.life.interrupt()
        self.life.wait(_INTERRUPT_SECONDS, channel=False)

    def finish(self, leave: Callable[[Message], None]) -> tuple[ProcessDeath, bool]:
        """Have it end as a session of pytest does; how it ended, and whether it did so as it had said.

        What the session leaves is for `leave`.
        """
        self.send({"kind": "finish"})
        try:
            for told in self.told(("finished",), _END_SECONDS):
                if told["kind"] == "left":
                    leave(told["output"])
        except DiedError as error:
            return error.death, False
        death = self.farewell()
        status = death.post_mortem.exit_status
        return death, status is not None and status.code == told["status"] and not self.internal

    def cut(self) -> dict[str, tuple[int, str]]:
        """How much of what it has printed was cut since this was asked last, and the end of that, by stream."""
        found = {phase.name: phase.cut() for phase in self.phases}
        return {name: (count, end) for name, (count, end) in found.items() if count}

    def farewell(self) -> ProcessDeath:
        """How it ended when it was to end; after some seconds it has to."""
        if self.life.wait(_END_SECONDS, channel=False) is not Event.DEATH:
            self._end_late("it did not end when its tests had")
        return self._death()

    def bury(self) -> list[Leftover]:
        """Free what is ours of it, and end what it has left running, which is the answer."""
        try:
            if self.life.is_alive:
                self.life.end()
            self.life.bury()
            self.left.extend(self.life.clean_up())
        except SupervisorGoneError:
            # It is gone with that; this frees what there is of it here.
            with contextlib.suppress(SupervisorGoneError):
                self.life.bury()
        finally:
            for phase in self.phases:
                phase.close()
        return self.left
