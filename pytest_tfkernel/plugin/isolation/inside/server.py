"""A process of isolation: it goes from blank to configured to collected, and may be forked wherever it stands.

Requests, each of which is answered before the next one is read:

    {"kind": "fork", "order": {...}, "environment": {...}, "phases": [names]}   with stdout, stderr, channel, stacks,
        and files for what tests print and log
                                  {"kind": "forked", "pid", "start_time"} or {"kind": "refused", "reason", "advice"}
    {"kind": "configure", ...}    blank: a session of pytest begins           {"kind": "configured"}
    {"kind": "preload", "modules": [...]}      {"kind": "preloaded", "error": text or None, "unsafe": reason or None}
    {"kind": "prepare", "code": "...", "given": ...}                    {"kind": "prepared", "error": text or None}
    {"kind": "collect", "only": path or None, "without": [paths], "again", "asks", "known": [paths]}   configured: what
        is collected, once {"kind": "unsafe", "path", "reason"}, and then
                                  {"kind": "collected", "items": [...], "unsafe": reason or None, "changed": [names]}
        If it `asks`: {"kind": "asks", "path"} before what may be unsafe, which {"kind": "go-on"} or "leave-out" answers
    {"kind": "run", "number", "test": [id, nth], "next": [id, nth] or None, "timeout": seconds or None}
        collected: {"kind": "armed"} where stacks will be written at the deadline, its reports, and then
                                  {"kind": "ran"} or {"kind": "missing", "why"}; all of them with "of": number
    {"kind": "finish"}            the session ends, and the process             {"kind": "finished", "status"}
"""

from __future__ import annotations

import errno
import faulthandler
import importlib
import os
import posix  # what tests put in the place of `os` is none of ours
import random
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import NoReturn, Protocol

from pytest_tfkernel._child import frames, garbage, process
from pytest_tfkernel._child.forking import Safety, fork_twice
from pytest_tfkernel._child.frames import Message
from pytest_tfkernel._child.kernel import CHANNEL_LOST
from pytest_tfkernel.plugin.isolation.inside import output, surroundings
from pytest_tfkernel.plugin.isolation.inside.intact import Intact
from pytest_tfkernel.plugin.isolation.inside.screen import Screen
from pytest_tfkernel.plugin.isolation.inside.stacks import Stacks
from pytest_tfkernel.plugin.isolation.phases import CLAIMS
from pytest_tfkernel.processes.descriptors import Owned

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

Responder = Callable[[Message], None]

STACKS = 4
_SCREEN = (5, 6)
# Somebody has closed our end, or opened something else in its place.
_NOT_OURS = (errno.EBADF, errno.ENOTSOCK, errno.EINVAL)
_WHAT = "what was imported"


class Measures(Protocol):
    """What measures a process, such as coverage does."""

    def save(self) -> None:
        """Keep what it has measured."""

    def forked(self) -> None:
        """Begin anew in a process that was forked."""


class Own:
    """The process itself: its channel, and whether a fork of it would do harm."""

    def __init__(self, port: frames.Port, told: Message) -> None:
        self._port = port
        self._pid = posix.getpid()
        self._sending = threading.Lock()
        # Of the test that runs.
        self._number = 0
        self._supervisor = os.getppid()
        self.safety = Safety(told["check"], told["trusted"], _WHAT)
        self.safety.watch().__enter__()  # until tests run
        self.intact = Intact()
        self._random = random.getstate()
        self._preload_environment: dict[str, str] | None = None
        self._phases: dict[str, int] = {}
        self._measures: Measures | None = None
        self._log: Owned | None = None
        # For what the running test makes, where the gate is on.
        self.claims: Owned | None = None
        self._stacks = Stacks(STACKS)
        self._capture: Callable[[int, int], None] | None = None
        faulthandler.enable(STACKS)
        output.buffer_lines()
        self.screen = Screen(_SCREEN)

    @property
    def is_fork(self) -> bool:
        """Whether this is a fork that a test has made, and that has come back from it: pytest has no part for it."""
        return posix.getpid() != self._pid

    @property
    def log(self) -> Owned | None:
        """A file for what the running phase of a test logs."""
        return self._log

    def send(self, message: Message) -> None:
        """Tell pytest something. Raises ValueError for what is too long for a frame."""
        if self.is_fork:
            posix._exit(0)  # noqa: SLF001 - as below
        try:
            # Threads of tests write on the terminal.
            with self._sending:
                self._port.send({**message, "of": self._number})
        except OSError as error:
            self._leave(error)

    def tell(self, message: Message) -> None:
        """The same, and wait until pytest has done with it what there is to do: what comes next is printed after it."""
        if threading.current_thread() is threading.main_thread():
            self.send({**message, "waits": True})
            self.next({})
        else:
            self.send(message)

    def _leave(self, error: Exception) -> NoReturn:
        """The channel is at its end: pytest has ended, or needs no more of this one, or somebody has broken it."""
        status = 0
        if isinstance(error, frames.TornError):
            posix.write(2, f"what pytest asks can't be read: {error}\n".encode())
            status = 1
        elif getattr(error, "errno", None) in _NOT_OURS:
            status = CHANNEL_LOST
        posix._exit(status)  # noqa: SLF001 - nothing else is ours to do

    def watch(self, request: Message) -> None:
        """A test begins: what it is told is known by its number, and stacks are written at its deadline."""
        self._number = request["number"]
        self._stacks.aim()
        if self._stacks.arm(request["timeout"]):
            self.send({"kind": "armed"})

    def next(self, answers: Mapping[str, Responder]) -> Message:
        """The next request that is none of `answers`, which are given meanwhile. Forks go on here."""
        while True:
            if self.is_fork:
                posix._exit(0)  # noqa: SLF001 - as below
            try:
                request, descriptors = self._port.receive_with_descriptors()
            except (EOFError, OSError) as error:
                self._leave(error)
            if request["kind"] == "fork":
                self._fork(request, descriptors)
            elif request["kind"] == "preload":
                why = self._preload(request["modules"])
                self.send({"kind": "preloaded", "error": why, "unsafe": self.settle()})
            elif request["kind"] == "prepare":
                self.send({"kind": "prepared", "error": _prepare(request["code"], request["given"])})
            elif request["kind"] in answers:
                answers[request["kind"]](request)
            else:
                return dict(request)

    def load(self, name: str) -> None:
        """Import a module of a plugin, so that no fork of this has to; one that fails does so in its own place."""
        try:
            importlib.import_module(name)
        except BaseException:  # noqa: BLE001 - whatever a plugin raises
            return

    def settle(self) -> str | None:
        """Why a fork would do harm; after it, forks share the pages of all that is there."""
        self._save_measured()
        garbage.freeze()
        return self.unsafe()

    def unsafe(self) -> str | None:
        """Why a fork would do harm now."""
        return self.safety.unsafe() or surroundings.children(_WHAT)

    def changed(self) -> list[str]:
        """Variables that TensorFlow would have seen otherwise, had it been imported when a test file did it."""
        before = self._preload_environment
        if before is None:
            return []
        now = surroundings.import_time()
        return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))

    def end(self, status: int) -> None:
        """What Python does at its end, but for all that frees memory."""
        import atexit

        self.send({"kind": "finished", "status": status})
        self._stacks.aim()
        atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing's children do
        self._save_measured()
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                continue
        posix._exit(status)  # noqa: SLF001 - what Python does beyond that, it does for nobody

    def measure_by(self, measures: Measures) -> None:
        """Have it saved before others are forked and at the end, and told in each that is forked."""
        self._measures = measures

    def _save_measured(self) -> None:
        if self._measures is not None:
            self._measures.save()

    def keep_phases(self, files: Mapping[str, int]) -> None:
        """Descriptors of files, by the name of what a test prints or logs into them."""
        self._phases = dict(files)
        for file in (self._log, self.claims):
            if file is not None:
                file.close()
        self._log = Owned.take(self._phases.pop("log")) if "log" in self._phases else None
        self.claims = Owned.take(self._phases.pop(CLAIMS)) if CLAIMS in self._phases else None

    def capture_by(self, capture: Callable[[int, int], None]) -> None:
        """Have what tests print captured by that, here or in whoever is forked."""
        self._capture = capture
        self._capture_phases()

    def _capture_phases(self) -> None:
        if self._phases and self._capture is not None:
            self._capture(self._phases["stdout"], self._phases["stderr"])
            self._phases = {}

    def _preload(self, modules: list[str]) -> str | None:
        self._preload_environment = surroundings.import_time()
        try:
            with garbage.uncollected():
                for name in modules:
                    importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - a test file that imports it shows the same
            return f"{type(error).__name__}: {error}"
        return None

    def _fork(self, request: Message, descriptors: list[int]) -> None:
        reason = self.safety.unsafe()
        if reason is not None:
            for descriptor in descriptors:
                os.close(descriptor)
            self.send({"kind": "refused", "reason": reason, "advice": ""})
            return
        self._save_measured()
        answer = fork_twice(descriptors, lambda: self._become(request, descriptors))
        if answer is not None:
            self.send(answer)

    def _become(self, request: Message, descriptors: list[int]) -> None:
        try:
            self._port.close()
            self._pid, self._sending = posix.getpid(), threading.Lock()
            os.setsid()
            process.die_with_parent(self._supervisor)
            stdout, stderr, channel, stack, *phases = descriptors
            streams = output.Streams.here()
            process.place_descriptors({3: channel, STACKS: stack}, inheritable=False)
            streams.replace(stdout, stderr)
            self._port = frames.Port(3)
            os.environ.update(request["environment"])
            process.restrict(request["order"])
            faulthandler.enable(STACKS)
            faulthandler.register(process.DUMP_SIGNAL, STACKS, all_threads=True)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            if random.getstate() == self._random:
                # Nobody has seeded it: processes that nobody forks don't draw the same numbers either.
                random.seed()
            self.keep_phases(dict(zip(request["phases"], phases, strict=True)))
            self._stacks = Stacks(STACKS)
            self._capture_phases()
            if self._measures is not None:
                self._measures.forked()
        except BaseException as error:  # noqa: BLE001 - told, and then it ends
            os.write(2, f"a process for a test could not be set up: {type(error).__name__}: {error}\n".encode())
            os._exit(1)


def _prepare(code: str, given: object) -> str | None:
    try:
        exec(code, {"given": given})  # noqa: S102 - it knows TensorFlow, and we don't
    except Exception as error:  # noqa: BLE001 - told, and the test doesn't run
        return f"{type(error).__name__}: {error}"
    return None
