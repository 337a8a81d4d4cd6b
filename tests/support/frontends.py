"""What stands for the other side of a hosted kernel: its answers, and what it publishes, as a test says."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import zmq

from pytest_tfkernel.hosts.conversation import Asker, ExecuteReply, UnusableError

OK = {"status": "ok"}
PYTHON = {"protocol_version": "5.3", "language_info": {"name": "python", "version": "3.11.7"}}


@dataclass
class Talk:
    """Stands for a conversation; what it is asked to run beyond its `answers` ends it."""

    answers: list[ExecuteReply]
    info: dict[str, Any] = field(default_factory=lambda: dict(PYTHON))
    ran: list[tuple[str, bool]] = field(default_factory=list)
    # While the cell of that number runs.
    meanwhile: Callable[[int], Coroutine[Any, Any, None]] | None = None
    typed: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    # Of the cell that runs, if it may ask.
    asker: Asker | None = None

    def start(self) -> list[asyncio.Task[None]]:
        """Nobody needs to listen."""
        return []

    async def kernel_info(self) -> dict[str, Any]:
        """At once."""
        return self.info

    def answer(self, text: str) -> None:
        """What was typed."""
        self.typed.put_nowait(text)

    async def run(
        self, cell: str, *, silent: bool = False, store_history: bool = True, asker: Asker | None = None
    ) -> ExecuteReply:
        """The next answer."""
        self.ran.append((cell, store_history))
        self.asker = asker
        if self.meanwhile is not None:
            await self.meanwhile(len(self.ran))
        if not self.answers:
            raise UnusableError("over")
        return self.answers.pop(0)


def message(kind: str, number: str, **content: Any) -> dict[str, Any]:
    """One of Jupyter's, of the request with that number."""
    return {"header": {"msg_type": kind}, "parent_header": {"msg_id": number}, "content": content}


class Client:
    """Stands for a client of jupyter_client. What comes on both channels is what was put there.

    `react` is called with the number of each request, and may put something.
    """

    def __init__(self, react: Callable[[Client, str], None] = lambda *_: None) -> None:
        self.shell: asyncio.Queue[Any] = asyncio.Queue()
        self.iopub: asyncio.Queue[Any] = asyncio.Queue()
        self.stdin: asyncio.Queue[Any] = asyncio.Queue()
        self.typed: asyncio.Queue[str] = asyncio.Queue()
        # Of a channel, its socket is asked whether something has come, and whether it is connected.
        self.iopub_channel = self.stdin_channel = self.socket = self.context = self
        self.connected = asyncio.Event()
        self.connected.set()
        self.asked: list[str] = []
        self.channels_running = False
        self._react = react

    def start_channels(self, **_: bool) -> None:
        """It has none."""
        self.channels_running = True

    def setsockopt(self, *_: int) -> None:
        """It has no sockets."""

    def stop_channels(self) -> None:
        """It has none."""
        self.channels_running = False

    def kernel_info(self) -> str:
        """Ask."""
        return self._ask("info")

    def execute(self, cell: str, **_: bool) -> str:
        """Ask."""
        return self._ask(cell)

    def answer(self, number: str, published: Iterable[dict[str, Any]] = (), **content: Any) -> None:
        """What was published, the reply, and that nothing more comes."""
        for one in (*published, message("status", number, execution_state="idle")):
            self.iopub.put_nowait(one)
        self.shell.put_nowait(message("execute_reply", number, **{**OK, **content}))

    async def get_shell_msg(self) -> Any:
        """The next reply."""
        return await self.shell.get()

    async def get_stdin_msg(self) -> Any:
        """The next question."""
        return await self.stdin.get()

    def input(self, text: str) -> None:
        """What was typed."""
        self.typed.put_nowait(text)

    async def poll(self, _: int = -1, flags: int = zmq.POLLIN) -> int:
        """What is published, and not heard yet; or that it is connected, when it is."""
        if flags == zmq.POLLOUT:
            await self.connected.wait()
        return self.iopub.qsize()

    async def get_iopub_msg(self, timeout: float | None = None) -> Any:
        """What is published next; with a timeout, what is there."""
        if timeout is None:
            return await self.iopub.get()
        if self.iopub.empty():
            raise queue.Empty
        return self.iopub.get_nowait()

    def _ask(self, what: str) -> str:
        self.asked.append(what)
        number = f"{what}-{len(self.asked)}"
        # Not before whoever has asked waits for it.
        asyncio.get_running_loop().call_soon(self._react, self, number)
        return number
