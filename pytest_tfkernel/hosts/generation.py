"""One generation of a hosted kernel: what it has of ours, and what is told of its beginning and its end."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient

from pytest_tfkernel._child import process
from pytest_tfkernel._child.kin import TOKEN
from pytest_tfkernel.hosts.bridge import Act, Bridge, KernelDescriptors
from pytest_tfkernel.hosts.child import Child, Reaped
from pytest_tfkernel.hosts.conversation import Conversation
from pytest_tfkernel.hosts.prints import Prints
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.output.captures import Capture
from pytest_tfkernel.processes.wire import Channel, Message


class ManagedGeneration:
    """Made before its process is. `order` is that of the kernel's first, and `number` counts from 1.

    Its folder for temporary files is made in `temporary`.
    """

    def __init__(self, order: Order, temporary: Path, number: int) -> None:
        self.number = number
        # The manager changes into the folder.
        self._order = dataclasses.replace(order, lease=order.lease + number - 1, folder=None)
        self.temporary = temporary / str(number)
        self.temporary.mkdir(mode=0o700)
        self._prints, self._stacks = Prints(), Capture("stacks")
        self._channel, self._theirs = Channel.pair()
        self._marks, self._marks_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(self._marks_writer, True)

    @property
    def lease(self) -> int:
        """The lease of its process."""
        return self._order.lease

    @property
    def environment(self) -> dict[str, str]:
        """The variables of its own."""
        return {"TMPDIR": str(self.temporary), TOKEN: str(self.lease)}

    def how_to_start(self) -> dict[str, Any]:
        """For `subprocess.Popen`."""
        order = self._order.for_child()
        parent = os.getpid()

        def become() -> None:
            process.restrict(order)
            process.reset_signals()
            process.die_with_parent(parent)

        return {
            "stdout": self._prints.given[0],
            "stderr": self._prints.given[1],
            "pass_fds": (self._stacks.descriptor, self._marks_writer),
            "preexec_fn": become,
        }

    def began(self, child: Child, tell: Callable[[Message, tuple[int, ...]], None]) -> None:
        """Tell of the process, and hand over our ends."""
        message = {
            "kind": "started",
            "generation": self.number,
            "pid": child.process.pid,
            "start_time": child.process.start_time,
            "lease": self.lease,
            "temporary": str(self.temporary),
        }
        tell(message, (self._theirs.fileno(), *self._prints.shown, self._stacks.descriptor))
        self._theirs.close()

    async def follow(self, child: Child, client: AsyncKernelClient, act: Act, report: Callable[[Reaped], None]) -> None:
        """Serve it until it has died, and have that reported."""
        descriptors = KernelDescriptors(self._stacks.descriptor, self._marks_writer, self._marks)
        conversation = Conversation(client, child.process.pid, self._prints)
        serving = asyncio.create_task(Bridge(conversation, self._channel, descriptors, act).serve())
        try:
            reaped = await child.dead()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            # What it has said and we have not heard yet belongs to its last words.
            await conversation.last_words()
            report(reaped)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            conversation.stop()
            self.close()

    def close(self) -> None:
        """Free what is ours here."""
        self._prints.close()
        self._stacks.close()
        for descriptor in (self._marks, self._marks_writer):
            os.close(descriptor)
        self._channel.close()
        self._theirs.close()
