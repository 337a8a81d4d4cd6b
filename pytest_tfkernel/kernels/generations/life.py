"""One generation of a kernel: a process from launch to post-mortem."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pytest_tfkernel._child import proc
from pytest_tfkernel._child.process import DUMP_SIGNAL
from pytest_tfkernel.kernels.generations.answers import Asked
from pytest_tfkernel.kernels.generations.parts import Parts
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.errors import SupervisorGoneError
from pytest_tfkernel.model.kernels import Reply
from pytest_tfkernel.model.processes import Leftover, PostMortem, ProcessId
from pytest_tfkernel.processes.cgroups import Cgroup
from pytest_tfkernel.processes.output.captures import KEPT_BYTES
from pytest_tfkernel.processes.pidfds import close, is_dead, open_pidfd, wait_for_any
from pytest_tfkernel.processes.postmortems.inquest import Inquest
from pytest_tfkernel.processes.postmortems.sent import Sent
from pytest_tfkernel.processes.postmortems.victims import Victims
from pytest_tfkernel.processes.supervisor import Supervisor
from pytest_tfkernel.processes.waits import Event, monotonic, ready
from pytest_tfkernel.processes.wire import ChannelClosedError, ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_TAIL_BYTES = 16 * 1024
_LAST_CELL = 4096
_UNENDED = (
    "it could not be ended: it waits in the Linux kernel, or belongs to another user since it ran a set-uid program"
)
# How often we look whether output has to be given back: often while there is some, seldom without.
_BUSY_SECONDS, _QUIET_SECONDS = 0.01, 0.05
# A kernel that closed its channel is usually on its way out; what a dead one started may need a moment to notice, as
# multiprocessing's helpers do.
_CLOSING_SECONDS = _STACKS_SECONDS = _SETTLE_SECONDS = 1.0


class Life:
    """A living or dead process with its channel, its output and its cgroup.

    `post_mortem` is None while it lives. Not safe to use from several threads at once.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        process: ProcessId,
        parts: Parts,
        generation: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._supervisor = supervisor
        self._parts = parts
        self._clock = clock
        self._pidfd = open_pidfd(process)
        self._started = clock()
        self._cgroups = [parts.cgroup] if parts.cgroup is not None else []
        victims = Victims(process, self._pidfd, parts.cgroup, clock)
        self._inquest = Inquest(Sent(process), victims, supervisor.has_killed_orphans)
        supervisor.expect(process)
        self._asked = Asked(is_managed=parts.host is not None)
        self._note = ""
        self._closed = False
        self._deadline_passed = False
        self.process = process
        self.generation = generation
        self.last_cell: str | None = None
        self.died_at: float | None = None
        self.post_mortem: PostMortem | None = None
        supervisor.claim(process, parts.lease, self.cgroups)

    @property
    def lease(self) -> int:
        """The lease of this process and of all that it starts."""
        return self._parts.lease

    @property
    def temporary(self) -> Path:
        """The folder for its temporary files, which is its own. Raises ValueError for what has none."""
        if self._parts.temporary is None:
            raise ValueError("this process has no temporary folder of its own")
        return self._parts.temporary

    @property
    def is_managed(self) -> bool:
        """Whether its process is kept by the kernel manager of somebody else."""
        return self._parts.host is not None

    @property
    def cgroups(self) -> tuple[str, ...]:
        """The names of the cgroups of its own that it is or was in."""
        return tuple(cgroup.name for cgroup in self._cgroups)

    @property
    def is_alive(self) -> bool:
        """Whether the process runs; a zombie doesn't."""
        return self.post_mortem is None and self._pidfd is not None and not is_dead(self._pidfd)

    def oom_kills(self) -> int:
        """How many processes of this kernel's cgroup the OOM killer has killed."""
        return self._inquest.victims.count()

    def join(self, cgroup: Cgroup) -> None:
        """Move the living process into a cgroup, which is this life's from now on."""
        cgroup.add(self.process.pid)
        self._cgroups.append(cgroup)
        self._supervisor.claim(self.process, self.lease, self.cgroups)
        self._inquest.victims.join(cgroup)

    @property
    def cgroup(self) -> Cgroup | None:
        """The cgroup of its own, if it has one."""
        return self._cgroups[-1] if self._cgroups else None

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> int:
        """Send a request; the number that its answer will have. A closed channel is left to the wait."""
        self._supervisor.check_ours()
        self._inquest.victims.look()
        number = self._asked.note(message)
        self._inquest.sent.ask(number)
        with contextlib.suppress(ChannelClosedError):
            self._parts.channel.send({**message, "id": number}, descriptors)
        return number

    def receive(self, seconds: float) -> Message | None:
        """The message that has arrived; None when the channel is closed or torn, and so the kernel.

        Raises ChannelLateError when it does not come to its end within `seconds`.
        """
        try:
            message = self._parts.channel.receive(seconds)
            self._asked.check(message)
        except ChannelClosedError:
            self._note = ""
            return None
        except ChannelTornError as error:
            self._note = f"its channel is unusable: {error}"
            return None
        self._inquest.sent.hear(message.get("id"))
        return message

    def has_stayed_mute(self) -> bool:
        """Whether a life that was launched mute, and is dead now, has said nothing."""
        return self._parts.channel.has_stayed_mute()

    def wait(self, seconds: float, *, channel: bool = True) -> Event:
        """Until there is a message, a death, or no time left."""
        deadline = self._clock() + seconds
        awaited = [self._parts.channel.fileno()] if channel else []
        awaited += [self._pidfd] if self._pidfd is not None else []
        pause = _BUSY_SECONDS
        while True:
            remaining = max(0.0, deadline - self._clock())
            if channel and self._parts.channel.has_news(0):
                return Event.READABLE
            found = ready(min(remaining, pause), *awaited)
            if channel and self._parts.channel.fileno() in found:
                return Event.READABLE
            if self._pidfd is None or self._pidfd in found:
                return Event.DEATH
            if not remaining:
                return Event.DEADLINE
            self._inquest.victims.look()
            reclaimed = [stream.reclaim() for stream in (self._parts.stdout, self._parts.stderr, self._parts.stacks)]
            pause = _BUSY_SECONDS if any(reclaimed) else min(pause * 2, _QUIET_SECONDS)

    def written(self) -> tuple[int, int]:
        """How much has been written to stdout and stderr so far."""
        return self._parts.stdout.size(), self._parts.stderr.size()

    def reply(self, message: Message, value: object, since: tuple[int, int]) -> Reply:
        """A reply with what was written `since`."""
        stdout, stdout_cut = self._parts.stdout.read(since[0], KEPT_BYTES)
        stderr, stderr_cut = self._parts.stderr.read(since[1], KEPT_BYTES)
        error = CellError(**message["error"]) if message["error"] is not None else None
        taken = self._inquest.victims.news()
        return Reply(message["ok"], value, stdout, stderr, error, message["seconds"], stdout_cut, stderr_cut, taken)

    def signal(self, number: int) -> bool:
        """Send a signal; False when the process is gone."""
        self._inquest.sent.note(number)
        return self._supervisor.signal(self.process, number)

    def interrupt(self) -> None:
        """Interrupt what it runs: by SIGINT, or as its host does that."""
        if not self.is_managed:
            self.signal(signal.SIGINT)
            return
        with contextlib.suppress(ChannelClosedError, ChannelTornError):
            self._parts.channel.send({"kind": "interrupt"})

    def dump_stacks(self, seconds: float = _STACKS_SECONDS, *, unasked: bool = False) -> None:
        """Ask for the stacks of all Python threads, unless they come `unasked`, and wait until they are written."""
        before = size = self._parts.stacks.size()
        # Any thread of a stopped process may take a signal when it goes on. One that isn't the main thread would
        # walk the main thread's frames while that one runs, and crash. Another program has no handler, and would die.
        is_heard = proc.catches(self.process.pid, DUMP_SIGNAL)
        if not (self._supervisor.signal(self.process, DUMP_SIGNAL, main_thread=True) if is_heard else unasked):
            return
        self.signal(signal.SIGCONT)  # a stopped process answers no signal
        deadline = self._clock() + seconds
        while self._clock() < deadline and not (self._pidfd is None or is_dead(self._pidfd, 0.01)):
            # A memfd can't be waited for: written is what has grown, and then no more.
            size, earlier = self._parts.stacks.size(), size
            if size > before and size == earlier:
                return

    def end(self, note: str = "", *, deadline: bool = False) -> list[Leftover]:
        """Kill the process and all it started; returns what would not die."""
        if not self._note:
            self._note = note
        self._deadline_passed = deadline
        if self._parts.host is not None:
            # A stopped one waits for nobody.
            self._supervisor.signal(self._parts.host, signal.SIGCONT)
        survivors = self._supervisor.end(self.lease)
        if any(one.process == self.process for one in survivors):
            self._note = _UNENDED
        return survivors

    def closing(self) -> None:
        """After the channel broke: give the process time to end by itself, then end it."""
        if self.wait(_CLOSING_SECONDS, channel=False) is not Event.DEATH:
            self._note = f"{self._note or 'its channel was closed'} while it lived, so it was ended"
            self.end()

    def bury(self, seconds: float = 10.0) -> PostMortem:
        """The post-mortem of a process that has died or is just dying; the same one every time."""
        if self.post_mortem is None:
            try:
                death = self._supervisor.death_of(self.process, seconds)
            except SupervisorGoneError:
                self._close()
                raise
            self.died_at = death.time if death is not None else self._clock()
            cause, killer, note = self._inquest.hold(
                death, self._note, lambda: self._parts.elegy(self.process), deadline=self._deadline_passed
            )
            stdout, stdout_cut = self._parts.stdout.read(0, _TAIL_BYTES)
            stderr, stderr_cut = self._parts.stderr.read(0, _TAIL_BYTES)
            self.post_mortem = PostMortem(
                process=self.process,
                generation=self.generation,
                exit_status=death.status if death is not None else None,
                cause=cause,
                killer=killer,
                usage=death.usage if death is not None else None,
                uptime=self.died_at - self._started,
                last_cell=self.last_cell[:_LAST_CELL] if self.last_cell is not None else None,
                stack=self._parts.stacks.read(0, 4 * _TAIL_BYTES)[0],
                stdout=stdout,
                stderr=stderr,
                stdout_cut=stdout_cut,
                stderr_cut=stderr_cut,
                note=note,
                children_oom_killed=self._inquest.victims.others,
            )
        self._close()
        return self.post_mortem

    def _close(self) -> None:
        """Free all that isn't in the post-mortem."""
        if self._closed:
            return
        self._parts.close()
        if self._pidfd is not None:
            close(self._pidfd)
            self._pidfd = None
        # Only now: one that was interrupted is to be done again.
        self._closed = True

    def leftovers(self, seconds: float = _SETTLE_SECONDS) -> list[Leftover]:
        """What is of this life beside its process, after up to `seconds` to end by itself."""
        deadline = self._clock() + seconds
        while True:
            members = self._supervisor.members(self.lease)
            found = [replace(one, started_by=self.process) for one in members if one.process != self.process]
            remaining = deadline - self._clock()
            if not found or remaining <= 0:
                return found
            wait_for_any([one.process for one in found], remaining)

    def clean_up(self) -> list[Leftover]:
        """After the death: end what was left running, and return it; remove cgroup and temporary files."""
        self._close()
        left = self.leftovers()
        survivors = self._supervisor.end(self.lease) if left else []
        if not survivors:
            self._parts.remove_temporary()
        for cgroup in self._cgroups if not survivors else ():
            if not (self.is_managed and cgroup is self._parts.cgroup):
                cgroup.remove()
        return left
