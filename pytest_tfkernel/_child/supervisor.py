"""The supervisor: starts, waits for and ends every process of a pytest process.

Started as `python -I -S FOLDER supervisor SOCKET OWNERS`: a descriptor, and a JSON list of
`[pid, start_time]` of the processes it must not outlive. It is a subreaper, so whatever a kernel
starts and leaves behind comes back to it. It runs under pytest's own Python.

Requests come one at a time and are answered in order; each has an `id`, and so has its answer:

    {"op": "start", "argv", "environment", "order", "targets": [1, 2, ...], "descriptors": n, "reports": bool}
        {"kind": "started", "pid", "start_time"} or {"kind": "failed", "error"}
    {"op": "signal", "pid", "start_time", "signal", "main_thread": bool}
        {"kind": "signalled", "found": bool, "refused": bool}
    {"op": "claim", "pid", "start_time", "lease", "cgroups": [names]}    {"kind": "done"}
        whatever this kernel starts, or is in these cgroups, is of that lease
    {"op": "members", "lease"}                          {"kind": "members", "processes": [...], "doubtful": [...]}
    {"op": "end", "lease", "seconds"}                   {"kind": "ended", "survivors": [...]}
    {"op": "hold", "folder", "contents": bool}          {"kind": "held", "held": bool}
        with a descriptor of the folder, whose lock is taken if it can be, and says that it is in use
    {"op": "release", "folder"}                         {"kind": "done"}

One that fails is answered by {"kind": "broken", "error"}, and harms no other.

Between the answers it tells of every child that ended, adopted ones too:

    {"kind": "exited", "pid", "start_time", "status", "user_seconds", "system_seconds", "max_rss",
     "child_faults", "time", "signals": [those that were sent through here, and that it did not ignore]}

`status` is the word of wait4(2), `max_rss` is in bytes, `time` is CLOCK_MONOTONIC in seconds. Usage is null
where nobody could know it. `child_faults` grows with each child that it had waited for (see `proc`).

A process that is started with `reports` waits for children of its own, as the kernel managers of others do. It
has a socket at descriptor 5, on which it tells of them as we do; we add the signals that went through here, and
pass it on.
"""

import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable

from . import birth, frames, proc, process
from .ending import Ending
from .frames import Message
from .holdings import Holdings
from .kin import Kin
from .outbox import Outbox

# A client that stops in the middle of a frame for this long is as good as gone.
_FRAME_SECONDS = 5


def main(arguments: list[str]) -> None:
    """Serve until the socket closes or an owner dies, then end everything."""
    # Before Ctrl-C can come: all signals are blocked until there are handlers.
    os.setsid()
    process.close_above(int(arguments[0]))
    process.become_subreaper()
    owners = [open_pidfd(pid, start_time) for pid, start_time in json.loads(arguments[1])]
    sock = socket.socket(fileno=int(arguments[0]))
    sock.set_inheritable(False)
    supervisor = Supervisor(sock)
    try:
        if None not in owners:
            supervisor.serve([owner for owner in owners if owner is not None])
    finally:
        supervisor.end_everything()


def open_pidfd(pid: int, start_time: int) -> int | None:
    """A pidfd of a process; None when it is gone."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    if proc.start_time(pid) == start_time:
        return pidfd
    os.close(pidfd)
    return None


class Supervisor:
    """The state: who was signalled, who is whose, which folders go at the end, what is still to be told."""

    def __init__(self, sock: socket.socket) -> None:
        self._port = frames.Port(sock, stall=_FRAME_SECONDS)
        self._outbox = Outbox(self._port.socket)
        self._signals: dict[tuple[int, int], list[int]] = {}
        self._kin = Kin(os.getpid())
        self._holdings = Holdings()
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._wakeup, writer = socket.socketpair()
        self._wakeup.setblocking(False)
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)
        # Those of a terminal are pytest's to answer.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def serve(self, owners: list[int]) -> None:
        """Answer requests and tell of deaths; returns when it is time to end."""
        selector = self._selector
        selector.register(self._wakeup, selectors.EVENT_READ)
        selector.register(self._port.socket, selectors.EVENT_READ)
        for owner in owners:
            selector.register(owner, selectors.EVENT_READ)
        while not self._stopping:
            interest = selectors.EVENT_READ | (0 if self._outbox.is_empty else selectors.EVENT_WRITE)
            selector.modify(self._port.socket, interest)
            chosen = selector.select()
            ready = {key.fileobj: events for key, events in chosen}
            if any(owner in ready for owner in owners):
                return
            for reporter in (key.data for key, _ in chosen if key.data is not None):
                self._pass_on(reporter)
            self._reap()
            if ready.get(self._port.socket, 0) & selectors.EVENT_READ and not self._answer_one():
                return
            self._outbox.flush()

    def _answer_one(self) -> bool:
        """Answer one request; False when nobody is there any more."""
        try:
            request, descriptors = self._port.receive_with_descriptors()
        except (EOFError, OSError, ValueError):
            return False
        try:
            answer = getattr(self, f"_op_{request['op']}")(request, descriptors)
        except Exception as error:
            answer = {"kind": "broken", "error": f"{type(error).__name__}: {error}"}
        self._outbox.put({**answer, "id": request["id"]})
        return True

    def _op_start(self, request: Message, descriptors: list[int]) -> Message:
        """Start a process, with a socket for its reports if it is to have one."""
        placed = dict(zip(request["targets"], descriptors, strict=True))
        reporter = None
        try:
            if request["reports"]:
                reporter, theirs = socket.socketpair()
                placed[process.REPORTS] = theirs.detach()
            pid = birth.start(request["argv"], request["environment"], request["order"], placed)
        except OSError as error:
            return {"kind": "failed", "error": str(error)}
        if reporter is not None:
            port = frames.Port(reporter, stall=_FRAME_SECONDS)
            self._selector.register(port.socket, selectors.EVENT_READ, port)
        start_time = proc.start_time(pid)
        self._kin.told(pid, start_time or 0, request["order"]["lease"])
        return {"kind": "started", "pid": pid, "start_time": start_time}

    def _op_signal(self, request: Message, _: list[int]) -> Message:
        """Signal a process: a child, whose pid nobody else can free, or that of a host, which might just reap it."""
        pid, start_time, number = request["pid"], request["start_time"], request["signal"]
        pidfd = open_pidfd(pid, start_time)
        if pidfd is None:
            return {"kind": "signalled", "found": False, "refused": False}
        found, refused = proc.is_below(pid, os.getpid()), False
        # What is ignored does nothing: a death by that signal is of somebody else's making.
        was_ignored = _ignores(pid, number)
        try:
            if found and request["main_thread"]:
                process.signal_main_thread(pid, number)
            elif found:
                signal.pidfd_send_signal(pidfd, number)
        except ProcessLookupError:
            pass  # a host has reaped it since
        except PermissionError:
            refused = True
        finally:
            os.close(pidfd)
        if found and not refused and not (was_ignored and _ignores(pid, number)):
            self._signals.setdefault((pid, start_time), []).append(number)
        return {"kind": "signalled", "found": found, "refused": refused}

    def _op_claim(self, request: Message, _: list[int]) -> Message:
        self._kin.claim(request["pid"], request["start_time"], request["lease"], request["cgroups"])
        return {"kind": "done"}

    def _op_members(self, request: Message, _: list[int]) -> Message:
        self._reap()
        lease, below = request["lease"], proc.descendants(os.getpid())
        members, doubtful = self._kin.members(lease, below), self._kin.doubtful(lease, below)
        return {"kind": "members", "processes": _with_commands(members), "doubtful": _with_commands(doubtful)}

    def _op_end(self, request: Message, _: list[int]) -> Message:
        seconds = request["seconds"]

        def members() -> list[proc.Process]:
            return self._kin.members(request["lease"], proc.descendants(os.getpid()))

        survivors = self._end(members, seconds, moment=seconds / 2)
        return {"kind": "ended", "survivors": _with_commands(survivors)}

    def _op_hold(self, request: Message, descriptors: list[int]) -> Message:
        held = self._holdings.hold(request["folder"], descriptors, contents=request["contents"])
        return {"kind": "held", "held": held}

    def _op_release(self, request: Message, _: list[int]) -> Message:
        self._holdings.release(request["folder"])
        return {"kind": "done"}

    def end_everything(self) -> None:
        """Kill and reap all descendants, then remove the folders that were held."""
        # Nothing of ours is to be there 2 s after the end of pytest.
        self._end(lambda: proc.descendants(os.getpid()), seconds=10, moment=1)
        self._holdings.remove()

    def _end(self, find: Callable[[], list[proc.Process]], seconds: float, moment: float) -> list[proc.Process]:
        """Kill what `find` finds until it finds nothing; returns what is left after `seconds`. See `Ending`."""

        def reap_and_find() -> list[proc.Process]:
            self._reap()
            return find()

        return Ending(reap_and_find, self._send, self._wait_for_child).run(seconds, moment)

    def _send(self, one: proc.Process, number: int) -> None:
        """Raises OSError when it is gone, or may not be signalled."""
        pid, start_time = one["pid"], one["start_time"]
        pidfd = open_pidfd(pid, start_time)
        if pidfd is None:
            raise ProcessLookupError(pid)
        try:
            signal.pidfd_send_signal(pidfd, number)
        finally:
            os.close(pidfd)
        self._signals.setdefault((pid, start_time), []).append(number)

    def _wait_for_child(self, seconds: float) -> None:
        """Until a child ends; at most `seconds`, since a grandchild's end isn't signalled to us."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wakeup, selectors.EVENT_READ)
            selector.select(seconds)

    def _reap(self) -> None:
        """Wait for every child that has ended, and tell of each."""
        try:
            while self._wakeup.recv(4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                waiting = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if waiting is None:
                return
            # Read before the wait: the zombie still has its start time.
            stat = proc.read_stat(waiting.si_pid)
            start_time = stat.start_time if stat is not None else None
            pid, status, usage = os.wait4(waiting.si_pid, 0)
            self._kin.died(pid, start_time or 0)
            self._outbox.put(
                {
                    "kind": "exited",
                    "pid": pid,
                    "start_time": start_time,
                    "status": status,
                    "user_seconds": usage.ru_utime,
                    "system_seconds": usage.ru_stime,
                    "max_rss": usage.ru_maxrss * 1024,
                    "child_faults": stat.child_faults if stat is not None else None,
                    "time": time.monotonic(),
                    "signals": self._signals.pop((pid, start_time or 0), []),
                }
            )

    def _pass_on(self, reporter: frames.Port) -> None:
        """Tell of a death that another one has waited for."""
        try:
            report = reporter.receive()
            key = report["pid"], report["start_time"]
            report["signals"] = [*report["signals"], *self._signals.pop(key, [])]
            self._kin.died(*key)
        except (EOFError, OSError, ValueError, KeyError, TypeError):
            self._selector.unregister(reporter.socket)
            reporter.close()
            return
        self._outbox.put({**report, "kind": "exited"})


def _ignores(pid: int, number: int) -> bool:
    stat = proc.read_stat(pid)
    return stat is not None and stat.ignores(number)


def _with_commands(found: list[proc.Process]) -> list[proc.Process]:
    return [{**one, "command": proc.command_line(one["pid"])} for one in found]
