"""What a kernel of somebody's server leaves for its post-mortem: begun before its process, and read after its death."""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel._child.tails import KEPT_BYTES
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER

# What is run by `python -m`, is IPython, and takes its options.
_MODULES = ("ipykernel_launcher", "ipykernel", "spyder_kernels.console")
# Options of the interpreter that stand before `-m` and take no word of their own.
_OPTIONS = ("-X", "-u", "-I", "-E", "-s", "-P", "-B", "-O", "-W", "-q")
_FILES = ("stacks", "cells", "stdout", "stderr")
_STACK_BYTES = 64 * 1024
# What a pipe holds by default (pipe(7)).
_PIPE_BYTES = 1 << 16


@dataclass(frozen=True)
class Statement:
    """What is known of a dead kernel. `number` is that of its last cell, and `was_running` whether it ran still."""

    cell: str | None = None
    number: int | None = None
    was_running: bool = False
    stack: str = ""
    stdout: str = ""
    stderr: str = ""
    stdout_cut: int = 0
    stderr_cut: int = 0


class Witness:
    """The files of one process. `command` is what to start in the place of the command that was given."""

    def __init__(self, command: Sequence[str], kernel: str) -> None:
        """Raises OSError where there is no room, and ValueError for a command that is no kernel of IPython's."""
        at = _module_of(command)
        with contextlib.ExitStack() as undo:
            self._files = {}
            for name in _FILES:
                self._files[name] = os.memfd_create(f"tfkernel-{name}", os.MFD_CLOEXEC)
                undo.callback(os.close, self._files[name])
            self._socket, self._theirs = socket.socketpair()
            undo.pop_all()
        self._socket.setblocking(False)
        numbers = [str(one) for one in self.descriptors]
        role = [str(CHILD_FOLDER), "witness", *numbers, kernel, command[at]]
        self.command = [*command[: at - 1], *role, *command[at + 1 :]]

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Those that the process is to have, at the same numbers."""
        return (*self._files.values(), self._theirs.fileno())

    def hand_over(self) -> None:
        """The process has its end of the socket."""
        self._theirs.close()

    def testify(self) -> Statement:
        """What it has left, when it is dead."""
        last = self._received()
        stdout, stdout_cut = self._tail("stdout", last.get("o", b""))
        stderr, stderr_cut = self._tail("stderr", last.get("e", b""))
        cell, number, was_running = self._last_cell()
        stack = _text(os.pread(self._files["stacks"], _STACK_BYTES, 0) + last.get("f", b""))
        return Statement(cell, number, was_running, stack, stdout, stderr, stdout_cut, stderr_cut)

    def close(self) -> None:
        """Free it."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files = {}
        self._socket.close()
        self._theirs.close()

    def _last_cell(self) -> tuple[str | None, int | None, bool]:
        data = os.pread(self._files["cells"], os.fstat(self._files["cells"]).st_size, 0)
        has_ended = False
        for line in reversed(data.splitlines()):
            with contextlib.suppress(ValueError, TypeError, KeyError):
                event = json.loads(line)
                if "cell" in event:
                    return str(event["cell"]), int(event["number"]), not has_ended
                has_ended = True
        return None, None, False

    def _tail(self, name: str, last: bytes) -> tuple[str, int]:
        size = os.fstat(self._files[name]).st_size
        start = max(0, size - KEPT_BYTES)
        return _text(os.pread(self._files[name], KEPT_BYTES, start) + last), start

    def _received(self) -> dict[str, bytes]:
        """What is to be read in the descriptors that it has sent: pipes of ipykernel's, and files with stacks."""
        found: dict[str, bytes] = {}
        space = socket.CMSG_SPACE(array.array("i").itemsize)
        with contextlib.suppress(OSError):
            while True:
                name, rights, _, _ = self._socket.recvmsg(1, space, socket.MSG_CMSG_CLOEXEC)
                if not name:
                    break
                descriptors = array.array("i")
                for _, _, data in rights:
                    descriptors.frombytes(data)
                for descriptor in descriptors:
                    with contextlib.suppress(OSError):
                        # ipykernel wakes its own reader with a zero.
                        words = os.read(descriptor, _PIPE_BYTES).rstrip(b"\0")
                        found[name.decode()] = found.get(name.decode(), b"") + words
                    os.close(descriptor)
        return found


def _module_of(command: Sequence[str]) -> int:
    """Where the module stands in a command. Raises ValueError when it isn't one that we know how to begin."""
    if not command or not Path(command[0]).name.startswith("python"):
        raise ValueError("not a Python")
    at = 1
    while at < len(command) and command[at].startswith(_OPTIONS) and command[at] not in ("-X", "-W"):
        at += 1
    if at + 1 >= len(command) or command[at] != "-m" or command[at + 1] not in _MODULES:
        raise ValueError("not a kernel of IPython's")
    return at + 1


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
