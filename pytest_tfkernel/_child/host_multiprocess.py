"""A host: starts one kernel as a `multiprocess.Process`, and tells what multiprocess says of its death.

Started as `python -u FOLDER host_multiprocess` with its channel at descriptor 3, a socket for reports of deaths at 5
(see `supervisor`), and at 6 the end of a pipe to write to. Its interpreter needs the package `multiprocess`. It
answers one request:

    {"kind": "start", "method": "spawn" | "forkserver" | "fork", "order": {...}, "environment": {...},
     "descriptors": 4}   with stdout, stderr, channel, stacks
        {"kind": "started", "pid", "start_time"}, {"kind": "missing"} when there is no `multiprocess`, or
        {"kind": "failed", "error": {"type", "message", "traceback"}}

and closes the channel. When the kernel has died, and its death is reported, it writes the last thing that it has to
say to the pipe, one line of JSON, and ends:

    {"pid", "start_time", "exitcode": as `Process.exitcode`, "alive": as `Process.is_alive()`, "status", "sentinel",
     "pipe"}

`status` is the word of wait4(2) that we learnt from waitid(2), before multiprocess waited. It is null with
`forkserver`, where the process is no child of ours and `exitcode` is all there is. `sentinel` and `pipe` are the
CLOCK_MONOTONIC seconds at which `Process.sentinel` and the other end of a `Pipe` of the kernel's became ready, and
null when they were not a second after the death.

What `multiprocess` starts of its own, a fork server and a resource tracker, ends when the host and the kernel have.
"""

import array
import contextlib
import faulthandler
import fcntl
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import termios
import time
import types
import warnings
from typing import Any, Dict, List, Optional

from . import frames, kernel, multiprocess_target, proc, process
from .frames import Message

CHANNEL = 3
WORDS = 6
FORKSERVER = "forkserver"

_MAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "multiprocess_main.py")
_SETTLE_SECONDS = 1.0
_CORE_FLAG = 0x80  # in a status word: wait(2) says so of a process that dumped core


def main(_: List[str]) -> None:
    """Start a kernel, wait for its death, and tell of it."""
    # A crash shows its stack. A kernel has a file of its own for that.
    faulthandler.enable(file=2, all_threads=True)
    channel, reports, words = [_take(number) for number in (CHANNEL, process.REPORTS, WORDS)]
    # A kernel's: what came to stand there, such as a pipe of multiprocess, would be lost in it.
    for reserved in (kernel.CHANNEL, kernel.STACKS):
        os.dup2(0, reserved, False)
    control = frames.Port(channel)
    host = answer(control, frames.Port(reports), os.fdopen(words, "wb", 0))
    control.close()
    if host is not None:
        host.wait()


def _take(number: int) -> int:
    """A descriptor of ours, out of the way."""
    moved = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, WORDS + 1)
    os.close(number)
    return moved


def answer(control: frames.Port, reports: frames.Port, words: Any) -> Optional["MultiprocessHost"]:
    """Answer the one request; the host of the kernel that was started, if one was."""
    request, descriptors = control.receive_with_descriptors()
    try:
        library = importlib.import_module("multiprocess")
    except ImportError as error:
        missing = getattr(error, "name", None) == "multiprocess"
        control.send({"kind": "missing"} if missing else {"kind": "failed", "error": kernel.describe(error)})
        return None
    # Its children import this one, as they would a user's script, and not what we were started as.
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.modules["__main__"].__file__ = _MAIN
    host = MultiprocessHost(library, control, reports, words, request["method"])
    try:
        started = host.start(request, descriptors)
    except Exception as error:
        control.send({"kind": "failed", "error": kernel.describe(error)})
        host.abandon()
        return None
    control.send(started)
    return host


class MultiprocessHost:
    """One `Process` of multiprocess, watched with the means of multiprocess and with those of the system."""

    def __init__(self, library: Any, control: frames.Port, reports: frames.Port, words: Any, method: str) -> None:
        self._library = library
        self._control = control
        self._reports = reports
        self._words = words
        self._method = method
        self._context = library.get_context(method)
        self._connection = importlib.import_module("multiprocess.connection")
        self._process: Any = None
        self._pipe: Any = None
        self._start_time: Optional[int] = None
        self._wakeup, self._waker = socket.socketpair()
        for end in (self._wakeup, self._waker):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker.fileno())

    def start(self, request: Message, descriptors: List[int]) -> Message:
        """Start the kernel; the answer to the request. Raises what multiprocess does, and RuntimeError."""
        stdout, stderr, channel, stacks = descriptors
        # In their places already here: a spawned process gets each at the same number.
        process.place_descriptors({kernel.CHANNEL: channel, kernel.STACKS: stacks}, inheritable=False)
        handles = [self._connection.Connection(number) for number in (stdout, stderr, kernel.CHANNEL, kernel.STACKS)]
        self._pipe, theirs = self._context.Pipe()
        ours = [self._control, self._reports, self._words, self._wakeup, self._waker, self._pipe]
        multiprocess_target.inherited[:] = ours
        parent = None if self._method == FORKSERVER else os.getpid()
        arguments = (parent, request["order"], request["environment"], theirs, handles)
        self._process = self._context.Process(target=multiprocess_target.become, args=arguments)
        if self._method == FORKSERVER:
            self._preload()
        with warnings.catch_warnings():
            # Python 3.12 warns of any thread at all; that there is one would be the doing of what dill imports.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        for one in (theirs, *handles):
            one.close()
        return self._greet()

    def _preload(self) -> None:
        """Have the fork server import our main module, which takes its folder off the path again."""
        self._library.set_forkserver_preload([os.path.splitext(os.path.basename(_MAIN))[0]])
        folders = [os.environ.get("PYTHONPATH"), os.path.dirname(_MAIN)]
        os.environ["PYTHONPATH"] = os.pathsep.join(folder for folder in folders if folder)
        # From Python 3.12 on it is told our path, and looks at no other.
        sys.path.append(os.path.dirname(_MAIN))

    def _greet(self) -> Message:
        """Hear from the new process, and let it go: it can't have died before its start time is known."""
        ready = self._connection.wait([self._pipe, self._process.sentinel, self._control.socket])
        try:
            word = multiprocess_target.hear(self._pipe) if self._pipe in ready else None
        except (EOFError, OSError):
            word = None
        if word is None or word["pid"] != self._process.pid:
            self._process.join(_SETTLE_SECONDS)
            raise RuntimeError(
                "the process that it started (pid %s, exitcode %s) did not run our target"
                % (self._process.pid, self._process.exitcode)
            )
        self._start_time = word["start_time"]
        self._pipe.send_bytes(b"go")
        return {"kind": "started", "pid": word["pid"], "start_time": word["start_time"]}

    def abandon(self) -> None:
        """Kill what could not be started, so that multiprocess doesn't wait for it at our end."""
        if self._process is not None and self._process.pid is not None and self._process.exitcode is None:
            os.kill(self._process.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Until the kernel has died; report it, and tell what multiprocess says of it."""
        names = {self._process.sentinel: "sentinel", self._pipe.fileno(): "pipe"}
        ready: Dict[str, Optional[float]] = {"sentinel": None, "pipe": None}
        poll = select.poll()
        for descriptor in (*names, self._wakeup.fileno()):
            poll.register(descriptor, select.POLLIN)
        died: Optional[float] = None
        word: Message = {}
        while None in ready.values() or died is None:
            remaining = None if died is None else died + _SETTLE_SECONDS - time.monotonic()
            if remaining is not None and remaining <= 0:
                break
            found = poll.poll() if remaining is None else poll.poll(remaining * 1000)
            now = time.monotonic()
            for descriptor, _ in found:
                if descriptor in names:
                    poll.unregister(descriptor)
                    ready[names[descriptor]] = now
                else:
                    self._wakeup.recv(4096)
            if died is None and self._is_dead(sentinel_is_ready=ready["sentinel"] is not None):
                died = now
                word = self._report(now)
        word.update(ready)
        # Maybe nobody has listened for long, or is there any more.
        with contextlib.suppress(OSError):
            self._words.write(json.dumps(word).encode("ascii") + b"\n")

    def _is_dead(self, *, sentinel_is_ready: bool) -> bool:
        # With a fork server we aren't the parent, and all we have is multiprocess's word.
        return sentinel_is_ready if self._method == FORKSERVER else self._waitid() is not None

    def _waitid(self) -> Any:
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)

    def _report(self, now: float) -> Message:
        """Report the death to the supervisor; what multiprocess says of it."""
        status = None
        if self._method == FORKSERVER:
            # End of file without a word is the fork server's own death. Then `exitcode` is made up, the kernel dies
            # with its parent, and the supervisor adopts it and tells of it.
            known = _waiting_bytes(self._process.sentinel) > 0
        else:
            status, known = _status_word(self._waitid()), True
        # Of the zombie, before anybody waits for it.
        stat = proc.read_stat(self._process.pid) if status is not None else None
        alive, exitcode = self._process.is_alive(), self._process.exitcode
        if status is not None and exitcode is None:
            # It hasn't waited, so somebody must: a zombie holds its pid.
            os.waitpid(self._process.pid, 0)
        if known:
            death = self._death(_as_status_word(exitcode) if status is None else status, now)
            self._reports.send(dict(death, child_faults=None if stat is None else stat.child_faults))
        who = {"pid": self._process.pid, "start_time": self._start_time}
        return dict(who, exitcode=exitcode, alive=alive, status=status)

    def _death(self, status: int, now: float) -> Message:
        # Of all children that were waited for, and this was the only one.
        usage = None if self._method == FORKSERVER else resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "pid": self._process.pid,
            "start_time": self._start_time,
            "status": status,
            "user_seconds": None if usage is None else usage.ru_utime,
            "system_seconds": None if usage is None else usage.ru_stime,
            "max_rss": None if usage is None else usage.ru_maxrss * 1024,
            "time": now,
            "signals": [],
        }


def _status_word(found: Any) -> int:
    if found.si_code == os.CLD_EXITED:
        return int(found.si_status) << 8
    return int(found.si_status) | (_CORE_FLAG if found.si_code == os.CLD_DUMPED else 0)


def _as_status_word(exitcode: int) -> int:
    return -exitcode if exitcode < 0 else exitcode << 8


def _waiting_bytes(descriptor: int) -> int:
    size = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, size)
    return size[0]
