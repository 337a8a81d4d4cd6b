"""Requests to one life of a kernel, and their answers; what goes wrong becomes a post-mortem."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from pytest_tfkernel.kernels.cells import calls, values
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.model.errors import (
    KernelDied,
    KernelHung,
    KernelStartError,
    SpecError,
    SupervisorGoneError,
    TooLargeError,
)
from pytest_tfkernel.model.kernels import KernelSpec, NotCarried, Reply
from pytest_tfkernel.processes.waits import Event, monotonic
from pytest_tfkernel.processes.wire import ChannelLateError, ChannelTornError, Message

OnMark = Callable[[str], None]

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


def greet(life: Life, spec: KernelSpec) -> tuple[int, ...]:
    """Bring a new process to the point where it waits for cells; the version of its Python.

    Raises KernelStartError. Nothing of the process lives then, nor when the caller is interrupted.
    """
    try:
        version = tuple(receive(life, spec.start_timeout)["version"])
        number = life.send({"kind": "configure", "sys_path": list(spec.sys_path)})
        receive(life, spec.start_timeout, number)
        if spec.startup:
            _run_startup(life, spec)
    except KernelDied as died:
        raise KernelStartError(f"the kernel did not start: {died}") from None
    except KernelStartError:
        raise
    except BaseException:
        # Nobody has it yet who could end it.
        with contextlib.suppress(SupervisorGoneError):
            life.end("it was ended, since whoever started it was interrupted")
            life.bury()
        raise
    return version


def ask(life: Life, request: Message, seconds: float, on_mark: OnMark | None = None) -> Reply:
    """The reply to a request; `on_mark` is called with the name of each mark that comes before it.

    Raises KernelDied when there is none, KernelHung when there is none in time, and TooLargeError
    when the request doesn't fit a message.
    """
    written = life.written()
    try:
        number = life.send(request)
    except ValueError as error:
        raise TooLargeError(str(error)) from None
    except ChannelTornError as error:
        life.end(f"{error}, so it was ended", deadline=True)
        raise KernelHung(life.bury()) from None
    message = receive(life, seconds, number, on_mark)
    try:
        return life.reply(message, _value(message), written)
    except ValueError as error:
        life.end(f"its reply makes no sense ({error}), so it was ended")
        raise KernelDied(life.bury()) from None


def request_for(cell: str, spec: KernelSpec, *, interactive: bool = True) -> Message:
    """The request that runs a cell. Raises TypeError or SpecError, before anything is done."""
    if not isinstance(cell, str):
        raise TypeError(f"a cell must be a string, not {type(cell).__name__}")
    if not interactive and not spec.made_by.runs_scripts:
        raise SpecError(
            f"a {spec.made_by.name} kernel runs interactive cells only: use provisioner='subprocess' for a script"
        )
    return {"kind": "execute", "cell": cell, "interactive": interactive}


def seconds_for(spec: KernelSpec, timeout: float | None) -> float:
    """The deadline of a cell. Raises ValueError for what is none, before anything is done."""
    seconds = spec.timeout if timeout is None else timeout
    if not isinstance(seconds, int | float) or not seconds > 0:
        raise ValueError(f"timeout={timeout!r} must be seconds above 0")
    return seconds


def receive(life: Life, seconds: float, number: int | None = None, on_mark: OnMark | None = None) -> Message:
    """The answer to request `number`, or the first message of all; otherwise the life is over.

    Raises KernelDied, and KernelHung when it did not come in time.
    """
    deadline = monotonic() + seconds
    event = life.wait(seconds)
    while event is Event.READABLE:
        try:
            message = life.receive(deadline - monotonic())
        except ChannelLateError:
            event = Event.DEADLINE
            break
        if message is None:
            life.closing()
            break
        if message["kind"] == "mark":
            if on_mark is not None:
                on_mark(message["name"])
        elif message["kind"] == "failed":
            life.end(f"it was ended, since {message['error']}")
            break
        # Any other is of a request whose caller was interrupted, as by Ctrl-C.
        elif message.get("id") == number:
            return message
        # A kernel that goes on talking has no more time than one that is silent.
        remaining = deadline - monotonic()
        event = life.wait(remaining) if remaining > 0 else Event.DEADLINE
    if event is Event.DEADLINE:
        # Before its first message a kernel may not be able to answer the signal, and would die of it.
        if number is not None:
            life.dump_stacks()
        life.end(f"no reply for {seconds:g} s, so it was ended", deadline=True)
        raise KernelHung(life.bury())
    raise KernelDied(life.bury())


def _value(message: Message) -> Any:
    if "pickled" in message:
        return calls.unpack(message["pickled"])
    if "not_carried" in message:
        return NotCarried(message["not_carried"])
    return values.decode(message["value"])


def _run_startup(life: Life, spec: KernelSpec) -> None:
    life.last_cell = spec.startup
    error = ask(life, {"kind": "execute", "cell": spec.startup, "interactive": True}, spec.start_timeout).error
    life.last_cell = None
    if error is not None:
        life.end("its startup cell failed")
        life.bury()
        raise KernelStartError(f"the startup cell failed with {error}\n{error.traceback}")
