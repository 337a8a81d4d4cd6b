"""What a frontend of Jupyter's does: it asks on the shell channel, and listens to what the kernel publishes.

Messages: jupyter-client.readthedocs.io, "Messaging in Jupyter".
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient

from pytest_tfkernel.hosts.outputs import OutputFile
from pytest_tfkernel.hosts.prints import Prints

Content = dict[str, Any]
# Is told a prompt, and whether what is typed is a password.
Asker = Callable[[str, bool], None]

# A kernel that is just starting may not hear the first question.
_ASK_AGAIN_SECONDS = 1.0
# What it publishes is heard a little later than what it answers.
_PUBLISHED_SECONDS = 0.1
# More of a question than a person reads.
_PROMPT_CHARACTERS = 1 << 16
# How many messages are heard before one is told.
_TURNS = 1000
# As Jupyter's own frontends say that no more comes: it is EOFError there.
_END = "\x04"
# For what a dead kernel had sent before; it is here already, or never will be.
_LAST_WORDS_SECONDS = 0.01
# For all of them: a child of the dead kernel may go on.
_MOST_SECONDS = 1.0


class UnusableError(Exception):
    """The kernel is none that cells can be sent to; the text says why."""


@dataclass(frozen=True)
class ExecuteReply:
    """The content of an `execute_reply`, and what was shown before it.

    That is `execute_result` or `display_data` with its data, or `error` with its content.
    """

    content: Content
    shown: list[tuple[str, dict[str, Any]]]


class Conversation:
    """With one process of a kernel."""

    def __init__(self, client: AsyncKernelClient, pid: int, prints: Prints) -> None:
        self._client = client
        self._pid = pid
        self._prints = prints
        self._replies: dict[str, asyncio.Future[Content]] = {}
        self._idle: dict[str, asyncio.Event] = {}
        self._shown: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self._outputs: dict[str, OutputFile] = {}
        # Cells whose file is closed: a thread of theirs may go on printing.
        self._closed: set[str] = set()
        self._askers: dict[str, Asker] = {}

    def start(self) -> list[asyncio.Task[None]]:
        """Connect; the tasks that listen, which end with UnusableError when they hear nonsense."""
        self._client.start_channels(stdin=False, hb=False, control=False)
        # What a kernel asks for before this one is connected is lost; made like that, it is ready to send when it is.
        self._client.context.setsockopt(zmq.IMMEDIATE, 1)
        self._client.start_channels(shell=False, iopub=False, hb=False, control=False)
        self._client.context.setsockopt(zmq.IMMEDIATE, 0)
        listeners = (self._listen_to_shell(), self._listen_to_iopub(), self._listen_to_stdin())
        return [asyncio.create_task(one) for one in listeners]

    def stop(self) -> None:
        """Disconnect."""
        self._client.stop_channels()
        for outputs in self._outputs.values():
            outputs.close()

    async def last_words(self) -> None:
        """Hear what a dead kernel has published, when nobody else listens any more."""
        if self._client.channels_running:
            with contextlib.suppress(queue.Empty, UnusableError):
                deadline = time.monotonic() + _MOST_SECONDS
                while time.monotonic() < deadline:
                    self._take(await _hear(lambda: self._client.get_iopub_msg(timeout=_LAST_WORDS_SECONDS)))
        self._prints.last_words()

    async def kernel_info(self) -> Content:
        """Ask until the kernel answers and is heard on both channels."""
        while True:
            number = self._client.kernel_info()
            with contextlib.suppress(asyncio.TimeoutError):
                content = await asyncio.wait_for(self._reply(number), _ASK_AGAIN_SECONDS)
                await asyncio.wait_for(self._idle_event(number).wait(), _PUBLISHED_SECONDS)
                self._prints.look_at(self._pid)
                return content

    async def run(
        self,
        cell: str,
        *,
        silent: bool = False,
        store_history: bool = True,
        outputs: str | None = None,
        asker: Asker | None = None,
    ) -> ExecuteReply:
        """Run a cell, as a frontend does when it isn't silent; all that it has printed is written when this returns.

        All that it shows is written to the file `outputs` as well, if one is named, and what threads of cells before it
        show meanwhile; see `outputs`. With an `asker` it may ask for input, which comes by `answer`.
        """
        if asker is not None:
            await self._client.stdin_channel.socket.poll(flags=zmq.POLLOUT)
        self._prints.settle()
        number = self._client.execute(cell, silent=silent, store_history=store_history, allow_stdin=asker is not None)
        self._shown[number] = []
        if asker is not None:
            self._askers[number] = asker
        if outputs is not None:
            self._outputs[number] = OutputFile(outputs)
        content = await self._reply(number)
        await self._idle_event(number).wait()
        self._idle.pop(number, None)
        self._askers.pop(number, None)
        if outputs is not None:
            self._outputs.pop(number).close()
            self._closed.add(number)
        self._prints.settle()
        return ExecuteReply(content, self._shown.pop(number))

    def answer(self, text: str) -> None:
        """What a person has typed; one that nobody waits for is dropped by the kernel."""
        self._client.input(text)

    async def _reply(self, number: str) -> Content:
        self._replies[number] = asyncio.get_running_loop().create_future()
        return await self._replies[number]

    def _idle_event(self, number: str) -> asyncio.Event:
        return self._idle.setdefault(number, asyncio.Event())

    async def _listen_to_shell(self) -> None:
        while True:
            message = await _hear(self._client.get_shell_msg)
            future = self._replies.pop(message["parent_header"].get("msg_id", ""), None)
            if future is not None and not future.done():
                future.set_result(message["content"])

    async def _listen_to_iopub(self) -> None:
        while True:
            self._take(await _hear(self._client.get_iopub_msg))

    async def _listen_to_stdin(self) -> None:
        while True:
            message = await _hear(self._client.get_stdin_msg)
            # What it had printed before was published before; one that never stops printing may still ask.
            for _ in range(_TURNS):
                if not await self._client.iopub_channel.socket.poll(0):
                    break
                await asyncio.sleep(0)
            asker = self._askers.get(message["parent_header"].get("msg_id", ""))
            content = message["content"]
            if message["header"]["msg_type"] != "input_request":
                continue
            if asker is None:
                # A thread of an earlier cell: nobody sits there any more.
                self.answer(_END)
            else:
                asker(str(content.get("prompt", ""))[:_PROMPT_CHARACTERS], bool(content.get("password")))

    def _take(self, message: dict[str, Any]) -> None:
        """Take in what the kernel has published."""
        number, content = message["parent_header"].get("msg_id", ""), message["content"]
        kind = message["header"]["msg_type"]
        if number in self._outputs:
            self._outputs[number].add(kind, content)
        elif number in self._closed:
            for outputs in self._outputs.values():
                outputs.add(kind, content)
        if kind == "stream":
            self._prints.hear(content["name"], content["text"])
        elif kind in ("execute_result", "display_data") and number in self._shown:
            self._shown[number].append((kind, content["data"]))
        elif kind == "error" and number in self._shown:
            self._shown[number].append((kind, content))
        elif kind == "status" and content["execution_state"] == "idle":
            self._idle_event(number).set()


async def _hear(get: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    try:
        return await get()
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise UnusableError(f"the kernel sent what is not a Jupyter message: {error}") from None
