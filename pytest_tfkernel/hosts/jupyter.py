"""A host of one Jupyter kernel: the real manager and restarter of jupyter_client, in a process of its own.

Its control channel is at descriptor 3, the one for reports of deaths (see `_child.supervisor`) at 5. The first request
comes once; then any number of the others:

    {"kind": "start", "kernelspec" (a name, or null), "argv", "env", "environment", "order" (of generation 1; see
     `processes.orders`), "temporary", "generation", "time_to_dead"}
    {"kind": "restart", "now": bool, "generation"}  what a person asks for who knows this generation

It tells, whoever has started the process:

    {"kind": "started", "generation", "pid", "start_time", "lease", "temporary", "descriptors": 4}
                                                    with channel, stdout, stderr and stacks
    {"kind": "restarting", "generation"}            the restarter has noticed the death of that one
    {"kind": "dead", "generation"}                  the restarter has given up after the death of that one
    {"kind": "shut-down", "generation"}             that one has ended as was asked over its channel
    {"kind": "failed", "error"}                     no process could be started

Each generation has a lease, a folder for temporary files and a channel of its own (see `hosts.bridge`).
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import faulthandler
import functools
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq.asyncio
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.ioloop.manager import AsyncIOLoopKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from pytest_tfkernel._child import frames, process
from pytest_tfkernel.hosts.child import Reaped
from pytest_tfkernel.hosts.generation import ManagedGeneration
from pytest_tfkernel.hosts.provisioner import PostMortemProvisioner
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.wire import Channel, ChannelClosedError, ChannelLateError, ChannelTornError, Message

CONTROL = 3
_FAREWELL_SECONDS = 2.0


def main() -> None:
    """Serve until the control channel closes, and end the kernel then."""
    # A crash shows its stack.
    faulthandler.enable()
    for descriptor in (CONTROL, process.REPORTS):
        os.set_inheritable(descriptor, False)
    control = Channel(CONTROL)
    reports = frames.Port(process.REPORTS)
    asyncio.run(JupyterHost(control, reports).serve())


class JupyterHost:
    """The manager of one kernel, and what it tells of it."""

    def __init__(self, control: Channel, reports: frames.Port) -> None:
        self._control = control
        self._reports = reports
        self._requests: asyncio.Queue[Message | None] = asyncio.Queue()
        self._manager: Manager | None = None
        self._generations: set[asyncio.Task[None]] = set()
        self._latest = 0
        # Its own would end with the first shutdown, and a restart could follow.
        self._context = zmq.asyncio.Context()

    async def serve(self) -> None:
        """Carry out one request after the other."""
        asyncio.get_running_loop().add_reader(self._control.fileno(), self._read)
        while (request := await self._requests.get()) is not None:
            await self._carry_out(request)
        if self._manager is not None and self._manager.has_kernel:
            await self._manager.shutdown_kernel(now=True)
        if self._generations:
            _, unfinished = await asyncio.wait(self._generations, timeout=_FAREWELL_SECONDS)
            for task in unfinished:
                task.cancel()
        self._context.destroy(linger=0)

    def _read(self) -> None:
        try:
            self._requests.put_nowait(self._control.receive())
        except (ChannelClosedError, ChannelLateError, ChannelTornError):
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._requests.put_nowait(None)

    async def _carry_out(self, request: Message) -> None:
        try:
            if request["kind"] == "start":
                await self._start(request)
            elif self._manager is not None:
                # Otherwise the restarter was faster.
                is_wanted = functools.partial(self._is_latest, request["generation"])
                await self._manager.restart_as_asked(is_wanted, now=request["now"])
        except Exception as error:  # noqa: BLE001 - whatever a manager or a kernelspec may come to
            self.tell({"kind": "failed", "error": f"{type(error).__name__}: {error}"})

    def _is_latest(self, generation: int) -> bool:
        return self._latest == generation

    async def _start(self, request: Message) -> None:
        folder = Path(request["temporary"])
        spec = _kernelspec(request)
        where = {"transport": "ipc", "ip": str(folder / "k"), "connection_file": str(folder / "connection.json")}
        manager = Manager(context=self._context, **where)
        manager._kernel_spec = spec  # noqa: SLF001 - it may be installed nowhere
        manager.provisioner = _Provisioner(host=self, request=request, parent=manager, kernel_spec=spec)
        self._manager = manager
        self._latest = request["generation"] - 1
        manager.watch(request["time_to_dead"], lambda kind: self.tell({"kind": kind, "generation": self._latest}))
        await manager.start_kernel(env=request["environment"], cwd=request["order"]["folder"])

    def tell(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Say something on the control channel."""
        with contextlib.suppress(ChannelClosedError, ChannelTornError):
            self._control.send(message, descriptors)

    def report(self, process: ProcessId, reaped: Reaped, signals: list[int]) -> None:
        """Tell the supervisor of a death."""
        if reaped.word is None or reaped.usage is None:
            return
        death = {"pid": process.pid, "start_time": process.start_time, "status": reaped.word, "signals": signals}
        usage = {**dataclasses.asdict(reaped.usage), "child_faults": reaped.child_faults}
        with contextlib.suppress(OSError):
            self._reports.send({**death, **usage, "time": reaped.time})

    async def act(self, generation: int, kind: str) -> None:
        """What is asked for over the channel of a generation."""
        if self._manager is None:
            return
        is_wanted = functools.partial(self._is_latest, generation)
        if kind == "interrupt":
            await self._manager.interrupt_as_asked(is_wanted)
        else:
            await self._manager.shutdown_as_asked(is_wanted)
            if is_wanted():
                self.tell({"kind": "shut-down", "generation": generation})

    def next_generation(self, request: Message) -> ManagedGeneration:
        """What the next process will have."""
        self._latest += 1
        return ManagedGeneration(Order.read(request["order"]), Path(request["temporary"]), self._latest)

    def follow(self, generation: ManagedGeneration, provisioner: _Provisioner) -> None:
        """Serve a new generation until it has ended."""
        if self._manager is None:
            return
        child, signals = provisioner.child, provisioner.signals
        generation.began(child, self.tell)
        life = generation.follow(
            child,
            self._manager.client(),
            functools.partial(self.act, generation.number),
            lambda reaped: self.report(child.process, reaped, list(signals)),
        )
        task = asyncio.create_task(life)
        self._generations.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._generations.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Nobody waits for it: it belongs to the last words of this process.
            traceback.print_exception(error)


class Manager(AsyncIOLoopKernelManager):
    """The manager of jupyter_client, whose restarter and whose user may both want something at once.

    `is_wanted` is asked when nobody else is ending or starting a process.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # A shutdown that isn't finished yet would go on with the process that a restart has started.
        self._changes = asyncio.Lock()

    def watch(self, time_to_dead: float | None, tell: Callable[[str], None]) -> None:
        """Have the restarter look every so many seconds (its own default: 3), and tell what it does."""
        changes = {} if time_to_dead is None else {"time_to_dead": time_to_dead}
        self._restarter = self.restarter_class(
            kernel_manager=self, loop=self.loop, parent=self, log=self.log, **changes
        )
        self._restarter.add_callback(lambda: tell("restarting"), "restart")
        self._restarter.add_callback(lambda: tell("dead"), "dead")

    async def restart_kernel(self, now: bool = False, newports: bool = False, **kwargs: Any) -> None:  # type: ignore[override]  # async here
        """What the restarter calls: nothing to do when somebody has just done it, or has wanted no process any more."""
        async with self._changes:
            if not (self.shutting_down or await self.is_alive()):
                await super().restart_kernel(now=now, newports=newports, **kwargs)

    async def restart_as_asked(self, is_wanted: Callable[[], bool], *, now: bool) -> None:
        """End the process if there is one, and start the next."""
        async with self._changes:
            if is_wanted():
                # What a dead one is asked, the next one hears if it is there soon.
                await super().restart_kernel(now=now or not await self.is_alive())

    async def shutdown_as_asked(self, is_wanted: Callable[[], bool]) -> None:
        """Ask the process to end, and see to it that it does."""
        async with self._changes:
            if is_wanted():
                await self.shutdown_kernel(now=False)

    async def interrupt_as_asked(self, is_wanted: Callable[[], bool]) -> None:
        """Interrupt what the process runs, also while it is ending; nothing when it has ended."""
        if is_wanted() and await self.is_alive():
            await self.interrupt_kernel()


class _Provisioner(PostMortemProvisioner):
    """Gives each generation what every kernel of ours has."""

    is_witnessed = False

    def __init__(self, host: JupyterHost, request: Message, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._host = host
        self._request = request

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        generation = self._host.next_generation(self._request)
        own = generation.environment
        if self._request["environment"].get("TMPDIR") != self._request["temporary"]:
            # The spec names one: what is kept there is to be there afterwards.
            del own["TMPDIR"]
        kwargs["env"] = {**kwargs["env"], **own}
        try:
            info = await super().launch_kernel(cmd, **kwargs, **generation.how_to_start())
        except BaseException:
            generation.close()
            raise
        self._host.follow(generation, self)
        return info


def _kernelspec(request: Message) -> KernelSpec:
    """The one that is installed under a name, or one of our own making."""
    if request["kernelspec"] is not None:
        spec: KernelSpec = KernelSpecManager().get_kernel_spec(request["kernelspec"])
        return spec
    return KernelSpec(argv=request["argv"], env=request["env"], language="python", display_name="pytest-tfkernel")
