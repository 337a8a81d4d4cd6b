"""One script in a kernel: what goes in and comes out while it runs, until its process has died."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import shlex
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.model.processes import PostMortem
from pytest_tfkernel.processes import waits
from pytest_tfkernel.processes.pidfds import close, open_pidfd
from pytest_tfkernel.run.blows import Blow, BlowAtScript
from pytest_tfkernel.run.heard import PASSED_ON, HeardSignals
from pytest_tfkernel.run.streams import Stream
from pytest_tfkernel.run.wishes import RunWishes


class Watcher(Protocol):
    """Looks at a process while it lives."""

    def look(self, life: Life) -> float:
        """Look now; after how many seconds to look again."""

    def last_look(self, life: Life) -> None:
        """Look at one that is stuck, and is going to be ended."""


@dataclass(frozen=True)
class RunEnd:
    """How it ended. `interrupts` counts the signals that were passed on; `cell` is the last one of a notebook.

    `asked` says that it was shut down, when all of it had run.
    """

    post_mortem: PostMortem
    interrupts: int = 0
    struck: bool = False
    cell: int | None = None
    asked: bool = False


def play(life: Life, wishes: RunWishes, watcher: Watcher, blow: Blow | None = None, stdin: int = 0) -> RunEnd:
    """Run the script in a life that has just begun, until it has died. Raises SupervisorGoneError."""
    play = _ScriptPlay(life, wishes, watcher, blow)
    try:
        with play.heard.listening():
            play.begin(stdin)
            play.follow()
        return play.result()
    finally:
        play.close()


class _ScriptPlay:
    def __init__(self, life: Life, wishes: RunWishes, watcher: Watcher, blow: Blow | None) -> None:
        self._life = life
        self._wishes = wishes
        self._watcher = watcher
        self._blow = BlowAtScript(blow, life) if blow is not None else None
        self.heard = HeardSignals()
        self._pidfd = open_pidfd(life.process)
        self._out, self._err = Stream(1), Stream(2)
        self._began = waits.monotonic()
        self._interrupts = 0
        self._is_over = False

    def close(self) -> None:
        """Free all that is ours."""
        for stream in (self._out, self._err):
            stream.close()
        if self._blow is not None:
            self._blow.close()
        if self._pidfd is not None:
            close(self._pidfd)

    def begin(self, stdin: int) -> None:
        """Send it off."""
        with _usable(stdin) as given, contextlib.ExitStack() as later:
            descriptors = [given, self._out.writer, self._err.writer]
            moment = self._blow.moment if self._blow is not None else None
            if self._blow is not None and moment is not None:
                descriptors.append(self._blow.pair())
                later.callback(os.close, descriptors[-1])
            path = str(self._wishes.file)
            argv = [path, *self._wishes.arguments]
            self._life.last_cell = shlex.join(["python", *argv])
            request = {"kind": "script", "path": path, "argv": argv, "moment": moment}
            self._life.send(request, tuple(descriptors))
        for stream in (self._out, self._err):
            stream.hand_over()
        self._began = waits.monotonic()
        if self._blow is not None:
            self._blow.begin(self._began)

    def follow(self) -> None:
        """Until it has died."""
        look_at = self._began
        while self._pidfd is not None:
            now = waits.monotonic()
            if now >= look_at:
                look_at = now + self._watcher.look(self._life)
            self._mind_the_time(now)
            ready = self._wait(max(0.0, min(look_at, self._next_deadline()) - now))
            for number in self.heard.take():
                self._pass_on(number)
            if self._blow is not None and self._blow.ours in ready:
                self._blow.hear()
            for stream in (self._out, self._err):
                if stream.waits_for is not None and stream.waits_for[0] in ready:
                    stream.move()
            if self._pidfd in ready:
                break
        for stream in (self._out, self._err):
            stream.finish()

    def result(self) -> RunEnd:
        """What is known of its end."""
        (stdout, stdout_cut), (stderr, stderr_cut) = self._out.tail, self._err.tail
        found = dataclasses.replace(
            self._life.bury(),
            # What native code has written before the script began is none of it.
            stdout=stdout,
            stdout_cut=stdout_cut,
            stderr=stderr,
            stderr_cut=stderr_cut,
        )
        return RunEnd(found, self._interrupts, self._blow is not None and self._blow.struck)

    def _wait(self, seconds: float) -> set[int]:
        poll = select.poll()
        wanted = [one.waits_for for one in (self._out, self._err)]
        ours = self._blow.ours if self._blow is not None else None
        wanted += [(one, select.POLLIN) for one in (self._pidfd, self.heard.descriptor, ours) if one is not None]
        for descriptor, events in filter(None, wanted):
            poll.register(descriptor, events)
        return {descriptor for descriptor, _ in poll.poll(None if seconds == float("inf") else seconds * 1000 + 1)}

    def _next_deadline(self) -> float:
        ends = [self._began + self._wishes.timeout] if not self._is_over else []
        if self._blow is not None:
            ends.append(self._blow.deadline)
        return min(ends, default=float("inf"))

    def _mind_the_time(self, now: float) -> None:
        if not self._is_over and now >= self._began + self._wishes.timeout:
            self._end(f"it ran longer than {self._wishes.timeout:g} s, so it was ended")
        if self._blow is not None:
            self._blow.mind_the_time(now)

    def _pass_on(self, number: int) -> None:
        self._interrupts += 1
        if number in PASSED_ON:
            self._life.signal(number)
        elif not self._is_over:
            self._end("it was ended, since Ctrl-\\ asked for that")

    def _end(self, why: str) -> None:
        """Take the stacks, and end it with all that it has started."""
        self._is_over = True
        self._watcher.last_look(self._life)
        self._life.dump_stacks()
        self._life.end(why, deadline=True)


@contextlib.contextmanager
def _usable(descriptor: int) -> Iterator[int]:
    """One that is open: nothing is to be read where it isn't."""
    try:
        os.fstat(descriptor)
    except OSError:
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            yield null
        finally:
            os.close(null)
    else:
        yield descriptor


def code_of(post_mortem: PostMortem) -> int:
    """The exit code that a shell has for such an end; 1 where nobody knows it."""
    status = post_mortem.exit_status
    if status is None:
        return 1
    return status.code if status.code is not None else 128 + int(status.signal or signal.SIGKILL)
