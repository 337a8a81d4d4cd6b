"""The client of the supervisor process: one per pytest process, shared by all its kernels."""

from __future__ import annotations

import contextlib
import itertools
import json
import posix
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_tfkernel._child import proc
from pytest_tfkernel.model.errors import SupervisorGoneError, TFKernelError
from pytest_tfkernel.model.processes import ExitStatus, Leftover, ProcessId, ResourceUsage
from pytest_tfkernel.processes import room
from pytest_tfkernel.processes.descriptors import Kept
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.output.captures import Capture
from pytest_tfkernel.processes.postmortems.deaths import Death, Deaths
from pytest_tfkernel.processes.spawning import Spawned
from pytest_tfkernel.processes.turns import Turns
from pytest_tfkernel.processes.waits import monotonic
from pytest_tfkernel.processes.wire import Channel, ChannelClosedError, ChannelLateError, ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

CHILD_FOLDER = Path(proc.__file__).parent

_REQUEST_SECONDS = 30.0
# Where the new process has it.
_CHANNEL = 3


class Supervisor:
    """Starts, signals and ends processes; knows how each of them died. Safe to use from threads.

    `owners` are further processes, beside this one, whose death ends everything. `kept` are the descriptors of this
    session, its own among them.
    """

    def __init__(self, owners: Sequence[ProcessId] = ()) -> None:
        me = ProcessId(posix.getpid(), proc.start_time(posix.getpid()) or 0)
        watched = json.dumps([[owner.pid, owner.start_time] for owner in (me, *owners)])
        with contextlib.ExitStack() as undo:
            try:
                self._log = Capture("supervisor")
                undo.callback(self._log.close)
                self._channel, theirs = Channel.pair()
                undo.callback(self._channel.close)
                try:
                    self._process = Spawned(
                        [sys.executable, "-I", "-S", "-u", str(CHILD_FOLDER), "supervisor", str(_CHANNEL), watched],
                        {1: self._log.descriptor, 2: self._log.descriptor, _CHANNEL: theirs.fileno()},
                    )
                finally:
                    theirs.close()
            except OSError as error:
                raise room.error_for(
                    f"the process that starts kernels can't be started: {error}", error.errno
                ) from None
            undo.pop_all()
        self.kept = Kept()
        self.kept.add(self._log, self._channel, *self._process.owned)
        self._deaths = Deaths()
        self._turns = Turns()
        self._numbers = itertools.count()
        self._creator = posix.getpid()
        self._closed = False

    @property
    def pid(self) -> int:
        """The supervisor's process."""
        return self._process.pid

    def start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        order: Order,
        descriptors: Mapping[int, int],
        *,
        reports: bool = False,
    ) -> ProcessId:
        """Start a process; `descriptors` are by target. Raises KernelStartError when exec fails.

        One that `reports` waits for children of its own, and tells the supervisor of their deaths.
        """
        message = {
            "op": "start",
            "argv": list(argv),
            "environment": dict(environment),
            "order": order.for_child(),
            "targets": list(descriptors),
            "reports": reports,
        }
        answer = self._ask(message, tuple(descriptors.values()))
        if answer["kind"] == "failed":
            found = re.match(r"\[Errno (\d+)\]", answer["error"])
            raise room.error_for(
                f"{argv[0]} could not be started: {answer['error']}", int(found[1]) if found is not None else None
            )
        process = ProcessId(answer["pid"], answer["start_time"])
        self.expect(process)
        return process

    def expect(self, process: ProcessId) -> None:
        """Keep the word of the death of a process, which others may have started for us, until it is asked for."""
        self._deaths.expect(process)

    def has_killed_orphans(self, since: float) -> bool:
        """Whether an orphan has died since that time of a SIGKILL that wasn't ours."""
        self._ask({"op": "members", "lease": -1})  # nobody's; what was told before the answer is noted with it
        return self._deaths.has_killed_orphans(since)

    def signal(self, process: ProcessId, number: int, *, main_thread: bool = False) -> bool:
        """Signal a process of ours, or its main thread; False when it is gone, or of another user by now."""
        message = {
            "op": "signal",
            "pid": process.pid,
            "start_time": process.start_time,
            "signal": int(number),
            "main_thread": main_thread,
        }
        answer = self._ask(message)
        return bool(answer["found"] and not answer["refused"])

    def claim(self, process: ProcessId, lease: int, cgroups: Sequence[str] = ()) -> None:
        """Say of a kernel that all which it starts is of this lease, and all that is in these cgroups, by name."""
        message = {"op": "claim", "pid": process.pid, "start_time": process.start_time}
        self._ask({**message, "lease": lease, "cgroups": list(cgroups)})

    def members(self, lease: int) -> list[Leftover]:
        """The processes and zombies that are of a lease now, whether they wear it or not."""
        return self.kin(lease)[0]

    def kin(self, lease: int) -> tuple[list[Leftover], list[Leftover]]:
        """Its members, and those that may be of this lease or of another one."""
        answer = self._ask({"op": "members", "lease": lease})
        return _leftovers(answer["processes"]), _leftovers(answer["doubtful"])

    def end(self, lease: int, seconds: float = 10.0) -> list[Leftover]:
        """Kill all that are of a lease; what still lives after `seconds`, or may not be ended.

        multiprocessing's resource trackers have a moment to remove what the others have shared.
        """
        answer = self._ask({"op": "end", "lease": lease, "seconds": seconds}, seconds=seconds + _REQUEST_SECONDS)
        return _leftovers(answer["survivors"])

    def hold(self, folder: Path, *, contents: bool = False, lock: int | None = None) -> bool:
        """Have a folder or file removed with the supervisor, however this process ends.

        A folder with its `contents`, or if it is empty. It needn't exist yet. By `lock`, a descriptor of it, it is
        locked as long as it is held; False when another has that lock, and it isn't held then.
        """
        message = {"op": "hold", "folder": str(folder), "contents": contents}
        return bool(self._ask(message, () if lock is None else (lock,))["held"])

    def release(self, folder: Path) -> None:
        """Take back `hold`."""
        self._ask({"op": "release", "folder": str(folder)})

    def death_of(self, process: ProcessId, seconds: float) -> Death | None:
        """How a process died, waiting at most `seconds` for the word of it.

        Raises SupervisorGoneError when nobody is there any more who could tell.
        """
        deadline = monotonic() + seconds
        with self._turns.next():
            while process not in self._deaths:
                self.check_ours()
                message = self._peek(deadline)
                if message is None:
                    return None
                if message["kind"] == "exited":
                    self._note(message)
                self._channel.drop()
            return self._deaths[process]

    def close(self) -> None:
        """End every process and the supervisor itself. Does nothing the second time."""
        # A forked child of pytest has a copy of this object, and no business with our processes.
        if self._closed or posix.getpid() != self._creator:
            return
        self._closed = True
        self._channel.close()
        if not self._process.wait(15):
            self._process.kill()
            self._process.wait(15)
        self._log.close()

    def _ask(self, message: Message, descriptors: tuple[int, ...] = (), seconds: float = _REQUEST_SECONDS) -> Message:
        self.check_ours()
        deadline = monotonic() + seconds
        with self._turns.next():
            number = next(self._numbers)
            try:
                self._channel.send({**message, "id": number}, descriptors)
            except (ChannelClosedError, ChannelTornError) as error:
                raise self._gone(str(error)) from None
            while (answer := self._peek(deadline)) is not None:
                if answer["kind"] == "exited":
                    self._note(answer)
                self._channel.drop()
                # Any other is of a request whose caller was interrupted, as by Ctrl-C.
                if answer.get("id") == number:
                    if answer["kind"] == "broken":
                        raise TFKernelError(f"the supervisor could not {message['op']}: {answer['error']}")
                    return answer
            raise self._gone(f"it did not answer for {seconds:.0f} s")

    @property
    def is_gone(self) -> bool:
        """Whether it has ended: what it has started is about to, if it hasn't."""
        return self._closed or self._channel.is_closed()

    def check_ours(self) -> None:
        """Raise SupervisorGoneError after `close`, and in a fork of the process that made this."""
        if self._closed:
            raise SupervisorGoneError("this session has ended, and its kernels with it: no other can be started")
        if posix.getpid() != self._creator:
            raise SupervisorGoneError("kernels belong to the process that made them, and this is a fork of it")

    def _peek(self, deadline: float) -> Message | None:
        """What comes next, until it is dropped: a death that is told to a caller who is interrupted isn't lost."""
        remaining = max(0.0, deadline - monotonic())
        try:
            return self._channel.peek(remaining) if self._channel.has_news(remaining) else None
        except ChannelLateError:
            return None
        except (ChannelClosedError, ChannelTornError) as error:
            raise self._gone(str(error)) from None

    def last_words(self) -> str:
        """The last line of what it has complained of; empty where it has not."""
        words = self._log.read(0, 4096)[0].strip()
        return words.splitlines()[-1] if words else ""

    def _gone(self, why: str) -> SupervisorGoneError:
        words = self.last_words()
        last = f"; its last words: {words}" if words else ""
        guess = "did a cell end its parent process? " if self._channel.is_ours() else ""
        return SupervisorGoneError(
            f"the supervisor (pid {self.pid}) is gone, and every kernel with it ({why or 'it closed its socket'}):"
            f" {guess}start pytest anew{last}"
        )

    def _note(self, event: Message) -> None:
        process = ProcessId(event["pid"], event["start_time"])
        used = event["user_seconds"], event["system_seconds"], event["max_rss"]
        usage = None if None in used else ResourceUsage(*used)
        status, signals = ExitStatus.from_wait(event["status"]), tuple(event["signals"])
        self._deaths.add(Death(process, status, usage, event["time"], signals, event.get("child_faults")))


def _leftovers(processes: list[Message]) -> list[Leftover]:
    return [
        Leftover(ProcessId(one["pid"], one["start_time"]), one["parent"], one["state"], one["command"])
        for one in processes
    ]
