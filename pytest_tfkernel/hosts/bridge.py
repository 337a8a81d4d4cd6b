"""One generation of a Jupyter kernel: our requests, as messages of Jupyter's, and back.

The requests and answers are those of `_child.kernel`. A cell that is sent with {"asks": true} may ask for input, any
number of times:

    {"kind": "input", "id" (of the cell), "prompt", "password": bool}    is answered by
    {"kind": "input", "text"}

One that is sent with "argv" finds those words in `sys.argv`, and so do those after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel._child import ipython
from pytest_tfkernel.hosts.conversation import Conversation, ExecuteReply, UnusableError
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER
from pytest_tfkernel.processes.wire import Channel, ChannelClosedError, ChannelLateError, ChannelTornError, Message

# Of Jupyter's protocol.
_VERSION = 5
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

# Loads `_child.ipython` as a kernel of our own loads its modules, and leaves no name behind.
_LOAD = """\
def _tfkernel_load():
    import importlib, sys, types
    package = types.ModuleType("_tfkernel_child")
    package.__path__ = [{folder!r}]
    sys.modules[package.__name__] = package
    importlib.import_module("_tfkernel_child.ipython").install(get_ipython(), {stacks}, {marks}, {sys_path!r})
_tfkernel_load()
del _tfkernel_load
"""
_MODULE = "__import__('IPython').get_ipython()._tfkernel"

# Shuts the kernel down or interrupts it, which are the manager's affairs.
Act = Callable[[str], Coroutine[None, None, None]]


@dataclass(frozen=True)
class KernelDescriptors:
    """`stacks` and `marks` are those to which the kernel writes; marks are read from `marks_here`."""

    stacks: int
    marks: int
    marks_here: int


class Bridge:
    """Serves one life of a kernel over its channel."""

    def __init__(self, conversation: Conversation, channel: Channel, descriptors: KernelDescriptors, act: Act) -> None:
        self._conversation = conversation
        self._channel = channel
        self._descriptors = descriptors
        self._partial = b""
        self._act = act
        self._acts: set[asyncio.Task[None]] = set()
        self._requests: asyncio.Queue[Message] = asyncio.Queue()
        self._reads_requests = False

    async def serve(self) -> None:
        """Say hello when the kernel is there, then answer requests; until the kernel turns out to be unusable."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._descriptors.marks_here, self._read_marks)
        tasks = [asyncio.create_task(self._answer_all()), *self._conversation.start()]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except UnusableError as error:
            self._send({"kind": "failed", "error": str(error)})
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._read_marks()
            loop.remove_reader(self._descriptors.marks_here)
            if self._reads_requests:
                loop.remove_reader(self._channel.fileno())

    async def _answer_all(self) -> None:
        info = await self._conversation.kernel_info()
        _check(info)
        self._send({"kind": "hello", "version": _version(info)})
        asyncio.get_running_loop().add_reader(self._channel.fileno(), self._read_request)
        self._reads_requests = True
        while True:
            request = await self._requests.get()
            answer = await self._answer(request)
            self._send({**answer, "id": request["id"]})

    def _read_request(self) -> None:
        try:
            request = self._channel.receive()
        except (ChannelClosedError, ChannelLateError, ChannelTornError):
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self._reads_requests = False
            return
        if request["kind"] in ("shutdown", "interrupt"):
            # Also while a cell runs.
            act = asyncio.create_task(self._act(request["kind"]))
            self._acts.add(act)
            act.add_done_callback(self._acts.discard)
        elif request["kind"] == "input":
            self._conversation.answer(request["text"])
        else:
            self._requests.put_nowait(request)

    async def _answer(self, request: Message) -> Message:
        if request["kind"] == "configure":
            await self._run_silently(
                _LOAD.format(
                    folder=str(CHILD_FOLDER),
                    stacks=self._descriptors.stacks,
                    marks=self._descriptors.marks,
                    sys_path=request["sys_path"],
                )
            )
            return {"kind": "configured"}
        if request["kind"] == "call":
            cell = f"{_MODULE}.call({request['payload']!r}, {request['cloudpickle']!r})"
            return await self._run(cell, _result_of_call, store_history=False)
        try:
            request["cell"].encode()
        except UnicodeEncodeError as error:
            # As every other kernel answers; what is sent to this one must be UTF-8.
            return _refused(error)
        if request.get("marks"):
            await self._run_silently(f"{_MODULE}.allow_marks({request['id']})")
        if "argv" in request:
            # ASCII: a word of the command line may be no UTF-8.
            await self._run_silently(f"{_MODULE}.take_argv({request['argv']!a})")
        more: dict[str, Any] = {"outputs": request["outputs"]} if "outputs" in request else {}
        if request.get("asks"):
            more["asker"] = functools.partial(self._ask, request["id"])
        return await self._run(request["cell"], _value, **more)

    def _ask(self, number: int, prompt: str, is_password: bool) -> None:
        self._send({"kind": "input", "id": number, "prompt": prompt, "password": is_password})

    async def _run_silently(self, cell: str) -> None:
        content = (await self._conversation.run(cell, silent=True, store_history=False)).content
        if content["status"] != "ok":
            what = f"{content.get('ename')}: {content.get('evalue')}"
            raise UnusableError(f"the kernel is not IPython, or not a version that we know: {what}")

    async def _run(
        self,
        cell: str,
        read: Callable[[ExecuteReply], Message],
        *,
        store_history: bool = True,
        **more: Any,
    ) -> Message:
        started = time.monotonic()
        answer = await self._conversation.run(cell, store_history=store_history, **more)
        error = _error(answer)
        reply: Message = {"kind": "reply", "ok": error is None, "error": error, "seconds": time.monotonic() - started}
        return {**reply, **(read(answer) if error is None else {"value": None})}

    def _read_marks(self) -> None:
        try:
            data = os.read(self._descriptors.marks_here, 1 << 16)
        except BlockingIOError:
            return
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            # A cell may write to the descriptor, too.
            with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                mark = json.loads(line)
                self._send({"kind": "mark", "name": mark["name"], "id": mark["id"]})

    def _send(self, message: Message) -> None:
        try:
            self._channel.send(message)
        except (ChannelClosedError, ChannelTornError):
            return  # nobody listens; the end of the channel is noticed elsewhere


def _refused(error: Exception) -> Message:
    told = {"type": type(error).__name__, "message": str(error), "traceback": ""}
    return {"kind": "reply", "ok": False, "error": told, "value": None, "seconds": 0.0}


def _check(info: dict[str, Any]) -> None:
    spoken = str(info.get("protocol_version", "nothing"))
    if spoken.partition(".")[0] != str(_VERSION):
        raise UnusableError(f"the kernel speaks version {spoken} of Jupyter's protocol, not {_VERSION}: update it")
    language = info.get("language_info", {}).get("name")
    if language != "python":
        raise UnusableError(f"the kernel runs {language}, not Python: choose another kernelspec")


def _version(info: dict[str, Any]) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", info["language_info"]["version"])[:3]]


def _error(answer: ExecuteReply) -> Message | None:
    """An error as Jupyter tells it: its type has no module. Spyder's `%runfile` shows one, and ends well itself."""
    shown = [content for kind, content in answer.shown if kind == "error"]
    content = answer.content
    if content["status"] == "ok":
        if not shown:
            return None
        content = shown[-1]
    if "ename" not in content:
        return {"type": "Aborted", "message": f"the kernel answered {content['status']!r}", "traceback": ""}
    traceback = _COLOURS.sub("", "\n".join(content.get("traceback", [])))
    return {"type": content["ename"], "message": content["evalue"], "traceback": traceback}


def _value(answer: ExecuteReply) -> Message:
    """What the cell showed as its result; one that shows none has the value None."""
    results = [data.get(ipython.MIME) for kind, data in answer.shown if kind == "execute_result"]
    return _form(results[-1], ("value", "not_carried")) if results else {"value": None}


def _result_of_call(answer: ExecuteReply) -> Message:
    """What a call published. A cell may publish a pickle as well, and nobody reads that one."""
    published = [data[ipython.CALL_MIME] for _, data in answer.shown if ipython.CALL_MIME in data]
    return _form(published[-1] if published else None, ("pickled",))


def _form(text: Any, names: tuple[str, ...]) -> Message:
    """The one part that it may have: whatever else it says, it isn't the kernel's to say."""
    try:
        ((name, value),) = dict(json.loads(str(text))).items()
    except (TypeError, ValueError, RecursionError):
        name = value = None
    if name not in names or (name != "value" and not isinstance(value, str)):
        return {"not_carried": "the kernel shows this value, but not in a form that we can read"}
    return {name: value}
