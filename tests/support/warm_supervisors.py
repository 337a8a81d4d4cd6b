"""The supervisor of a pytest under test, and where its isolated tests begin, forked from a process that has imported pytest.

The supervisor is forked before its pytest begins, of which it has nothing, and waits until it is started; one that isn't
ends with that pytest. What it starts is started as usual, but for an interpreter of isolation, which is a fork of it.
"""

from __future__ import annotations

import array
import ctypes
import importlib
import json
import os
import posix
import signal
import socket
import subprocess
import sys
import traceback
import types
from typing import Any, NoReturn

import becoming
from pytest_tfkernel._child import process
from pytest_tfkernel.plugin.isolation.forks import ROLE
from pytest_tfkernel.processes import spawning
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER

_ORDINARY = [sys.executable, "-I", "-S", "-u", str(CHILD_FOLDER), "supervisor"]
_PACKAGE = "_tfkernel_child"
_PR_SET_PDEATHSIG = 1
_MOST_BYTES = 1 << 20
_NEVER = 0
_KEPT: list[BaseException] = []


def import_all() -> None:
    """What both of them import, before either is forked."""
    package = types.ModuleType(_PACKAGE)
    package.__path__ = [str(CHILD_FOLDER)]
    sys.modules[_PACKAGE] = package
    for name in ("streams", "supervisor", ROLE):
        importlib.import_module(f"{_PACKAGE}.{name}")


def prepare(arguments: list[str]) -> None:
    """Fork one where such a command line isolates tests; the first supervisor that is started is that one."""
    if os.environ.pop("COLD", None) or not any(word.startswith("--tfkernel-isolate") for word in arguments):
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    # Ctrl-C is for pytest.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pid = os.fork()
    if pid == 0:
        ours.close()
        _wait(theirs, parent)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    vars(spawning)["posix"] = _Spawning(pid, ours)


class _Spawning(types.ModuleType):
    """The module `posix`, but that the first supervisor is there already."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        super().__init__("posix")
        self.__dict__.update(vars(posix))
        self._waiting: tuple[int, socket.socket] | None = (pid, channel)
        self.__dict__["posix_spawn"] = self._spawn

    def _spawn(self, path: str, argv: list[str], environment: dict[str, str], **more: Any) -> int:
        if self._waiting is None or argv[: len(_ORDINARY)] != _ORDINARY:
            return posix.posix_spawn(path, argv, environment, **more)
        (pid, channel), self._waiting = self._waiting, None
        _, *placed = more["file_actions"]
        order = becoming.ordered(argv[len(_ORDINARY) - 2 :], environment, placed)
        descriptors = array.array("i", [source for _, source, _ in placed])
        with channel:
            channel.sendmsg([json.dumps(order).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        return pid


def _wait(channel: socket.socket, parent: int) -> NoReturn:
    """In the child: be what that command line is, or end."""
    process.die_with_parent(parent)
    data, descriptors, *_ = socket.recv_fds(channel, _MOST_BYTES, 16)
    if not data:
        os._exit(0)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _NEVER, 0, 0, 0)
    order = json.loads(data)
    channel.close()
    becoming.take_up(order, descriptors)
    ordinary = os.execve
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]

    def execve(path: str, argv: list[str], environment: dict[str, str]) -> None:
        if argv == [sys.executable, *flags, str(CHILD_FOLDER), ROLE] and becoming.begins_alike(
            environment, ("PYTHON", "LD_")
        ):
            os.execve = ordinary
            _leave(argv[-2:], environment)
        ordinary(path, argv, environment)

    os.execve = execve  # type: ignore[assignment]
    arguments, environment = order["arguments"], order["environment"]
    try:
        _begin(arguments, environment)
        posix._exit(0)
    except _Left as left:
        # What it refers to has closed descriptors, whose numbers are of something else by now: it is never freed.
        _KEPT.append(left)
        arguments, environment = left.arguments, left.environment
    os._exit = posix._exit
    _begin(arguments, environment)
    os._exit(0)


class _Left(BaseException):
    """A child of the supervisor has left all that it was called by, to be what the supervisor was to start."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        super().__init__()
        self.arguments, self.environment = arguments, environment


def _leave(arguments: list[str], environment: dict[str, str]) -> NoReturn:
    """In that child, in the place of its exec."""
    becoming.close_on_exec()
    sys.modules[f"{_PACKAGE}.supervisor"].Supervisor.end_everything = lambda _: None
    left = _Left(arguments, environment)

    def leave(_: int) -> NoReturn:
        raise left

    os._exit = leave  # type: ignore[assignment]
    leave(0)


def _begin(arguments: list[str], environment: dict[str, str]) -> None:
    """Be `python FOLDER ROLE ...`, with the streams of a new interpreter."""
    os.environ.clear()
    os.environ.update(environment)
    becoming.renew_streams()
    main = types.ModuleType("__main__")
    file = CHILD_FOLDER / "__main__.py"
    main.__file__ = str(file)
    sys.modules["__main__"] = main
    sys.argv[:] = arguments
    sys.path.insert(0, arguments[0])
    try:
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), main.__dict__)
    except Exception:  # noqa: BLE001 - as an interpreter does
        traceback.print_exc()
        posix._exit(1)
