"""A kernel provisioner for jupyter_client that knows how its kernels died.

Works in any Jupyter server: name `tfkernel` in a kernelspec's `metadata.kernel_provisioner.provisioner_name`, or in
the environment variable JUPYTER_DEFAULT_PROVISIONER_NAME.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from pytest_tfkernel._child import deaths, proc
from pytest_tfkernel.hosts import groups, logs
from pytest_tfkernel.hosts.child import Child, Reaped
from pytest_tfkernel.hosts.witness import Statement, Witness
from pytest_tfkernel.model.processes import Cause, Killer, PostMortem
from pytest_tfkernel.processes.cgroups import find_oom_counter, read_oom_kills
from pytest_tfkernel.processes.postmortems import records
from pytest_tfkernel.processes.postmortems.causes import judge
from pytest_tfkernel.processes.postmortems.plain import plain
from pytest_tfkernel.processes.postmortems.victims import Victim, Victims

_KEPT = 100


class PostMortemProvisioner(LocalProvisioner):
    """Starts, signals and ends a kernel as LocalProvisioner does, and tells what ended it.

    `exit_status` that jupyter_client gets is that of `subprocess.Popen`: minus the signal, or the exit code. Kernels of
    IPython's that are `is_witnessed` tell stacks, cells and prints, and a death that nobody asked for is written down.
    """

    is_witnessed = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._child: Child | None = None
        self._witness: Witness | None = None
        self.signals: list[int] = []
        self._generation = 0
        self._oom_counter: Path | None = None
        self._victims: Victims | None = None
        self._post_mortems: collections.deque[PostMortem] = collections.deque(maxlen=_KEPT)
        # Whether somebody asked for the end that comes.
        self._is_asked = False

    @property
    def child(self) -> Child:
        """The process that was launched last. Raises RuntimeError when none was."""
        if self._child is None:
            raise RuntimeError("no kernel was launched")
        return self._child

    @property
    def post_mortems(self) -> tuple[PostMortem, ...]:
        """Those of the last 100 deaths of this kernel, the latest at the end."""
        self._notice()
        return tuple(self._post_mortems)

    async def death(self) -> PostMortem | None:
        """Wait for the death of the process that runs now; None when none was launched.

        It is known at once, where jupyter_client's restarter looks every 3 s.
        """
        if self._child is None:
            return None
        await self._child.dead()
        self._notice()
        return self._post_mortems[-1]

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the process."""
        self._notice()
        witness = self._call_witness(cmd) if self.is_witnessed else None
        if witness is not None:
            cmd, kwargs = witness.command, {**kwargs, "pass_fds": (*kwargs.get("pass_fds", ()), *witness.descriptors)}
        try:
            info = await super().launch_kernel(cmd, **kwargs)
        except BaseException:
            if witness is not None:
                witness.close()
            raise
        self._child, self._witness = Child(self._popen()), witness
        if witness is not None:
            witness.hand_over()
        self.signals, self._is_asked = [], False
        self._generation += 1
        self._victims = None
        self._look_at_cgroup(self._child)
        return info

    def _call_witness(self, cmd: list[str]) -> Witness | None:
        """None for a kernel that isn't IPython's, and where there is no room."""
        with contextlib.suppress(OSError, ValueError):
            return Witness(cmd, str(self.kernel_id))
        return None

    def _look_at_cgroup(self, child: Child) -> None:
        """Know where OOM kills are counted for a living process, which may be moved at any time."""
        counter = find_oom_counter(child.process.pid)
        if counter != self._oom_counter or self._victims is None:
            self._oom_counter, self._victims = counter, Victims(child.process, child.pidfd, _Counter(counter))
        self._victims.look()

    def _popen(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise RuntimeError("jupyter_client has launched no process")
        return self.process

    async def poll(self) -> int | None:
        """None while it runs, then how it ended; 0 when none was launched, as jupyter_client has it."""
        if self.process is None or self._child is None:
            return 0
        # Asked first: one that dies in between is noticed now, or told the next time.
        returncode = self._child.returncode
        self._notice()
        return returncode

    async def wait(self) -> int | None:
        """Wait until it has ended, without looking again and again."""
        if self._child is not None:
            await self._child.dead()
        ended: int | None = await super().wait()
        return ended

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel's process group, which is also its session; see `groups.kill` for SIGKILL."""
        if getattr(self.parent, "shutting_down", False):
            # A manager that shuts down interrupts first, which a kernel that is still starting doesn't survive.
            self._note_ask()
        if self.process is None or self._child is None or self._child.returncode is not None:
            return
        was_ignored = self._ignores(signum)
        try:
            if signum == signal.SIGKILL:
                groups.kill(self._child.process.pid)
            else:
                os.killpg(self._child.process.pid, signum)
        except ProcessLookupError:
            return  # it ended by itself
        if not (was_ignored and self._ignores(signum)):
            self.signals.append(int(signum))

    def _ignores(self, signum: int) -> bool:
        stat = proc.read_stat(self.child.process.pid)
        return stat is not None and stat.ignores(signum)

    async def kill(self, restart: bool = False) -> None:
        """End it with SIGKILL."""
        self._note_ask()
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Ask it to end with SIGTERM."""
        self._note_ask()
        await self.send_signal(signal.SIGTERM)

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Whatever ends it now was asked for."""
        self._note_ask()

    def _note_ask(self) -> None:
        """A death that has happened before is none that was asked for."""
        self._notice()
        self._is_asked = True

    async def get_provisioner_info(self) -> dict[str, Any]:
        """That of LocalProvisioner, and `post_mortem` as plain data: that of the last death, or None."""
        info: dict[str, Any] = await super().get_provisioner_info()
        found = self.post_mortems
        return {**info, "post_mortem": plain(found[-1]) if found else None}

    def _notice(self) -> None:
        """Keep the post-mortem of a process that has died, once."""
        if self._child is None or (self._post_mortems and self._post_mortems[-1].process == self._child.process):
            return
        reaped = self._child.reap()
        if reaped is None:
            self._look_at_cgroup(self._child)
            return
        statement = self._hear_witness()
        found = self._bury(self._child, reaped, statement)
        self._post_mortems.append(found)
        if not self._is_asked:
            self._tell(found, statement)

    def _tell(self, found: PostMortem, statement: Statement | None) -> None:
        """Say it in the log, and write it down for the next kernel."""
        if not self.is_witnessed:
            self.log.warning(found.headline())
            return
        shown = dataclasses.replace(found, stack=deaths.brief(found.stack))
        logs.warn(self.log, found.headline() if statement is None else shown.describe())
        number = statement.number if statement is not None else None
        records.keep(found, kernel=str(self.kernel_id), cell_number=number)

    def _hear_witness(self) -> Statement | None:
        witness, self._witness = self._witness, None
        if witness is None:
            return None
        try:
            return witness.testify()
        except OSError:
            return None
        finally:
            witness.close()

    def _bury(self, child: Child, reaped: Reaped, statement: Statement | None) -> PostMortem:
        heard = statement or Statement()
        cause, killer, note = Cause.UNKNOWN, Killer.UNKNOWN, ""
        if reaped.status is not None:
            # Its orphans are nobody's that we know of.
            victim = self._victims.judge(reaped.child_faults, lambda _: False) if self._victims else Victim.NO
            cause, killer = judge(reaped.status, self.signals, oom_killed=victim is Victim.YES)
            if victim is Victim.MAYBE and killer is Killer.UNKNOWN:
                note = "the OOM killer took it or another process of its cgroup, and which of them isn't known"
        if cause is Cause.OOM_KILL and self._oom_counter is not None:
            # Who shares the cgroup may have been killed in its place, though not by SIGKILL twice.
            note = f"counted in {self._oom_counter.parent}, the memory cgroup that it shared"
        if heard.number is not None:
            where = f"it ran cell {heard.number}" if heard.was_running else f"it had run cell {heard.number}"
            note = "; ".join(filter(None, (note, where)))
        return PostMortem(
            process=child.process,
            generation=self._generation,
            exit_status=reaped.status,
            cause=cause,
            killer=killer,
            usage=reaped.usage,
            uptime=reaped.time - child.started,
            last_cell=heard.cell,
            stack=heard.stack,
            stdout=heard.stdout,
            stderr=heard.stderr,
            stdout_cut=heard.stdout_cut,
            stderr_cut=heard.stderr_cut,
            note=note,
        )


@dataclasses.dataclass(frozen=True)
class _Counter:
    """Of the cgroup in which the kernel is, whosever it is."""

    file: Path | None

    def oom_kills(self) -> int:
        return read_oom_kills(self.file)
