"""Hosts of kernels, and kernels of Jupyter's and Spyder's, forked from a process that has imported what they begin with.

A supervisor that is started `beneath` is a fork of that process; the host that it starts is a fork of the supervisor, and
the kernel that the manager in that host starts is a fork of the host: each is the child of whom it would be a child, with
the descriptors, limits and signals that it would have. Whatever else is started, is started as usual.

`python warm_hosts.py DESCRIPTOR` is that process. It reads what a supervisor, or a command of ours, is started with, and
answers with a pid. The supervisor that a command starts is a fork of that command.
"""

from __future__ import annotations

import array
import contextlib
import importlib
import json
import os
import posix
import select
import signal
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import becoming
import host_forks
from measured import is_measured
from pytest_tfkernel._child import garbage
from pytest_tfkernel.processes import spawning

_IMPORTED = (
    "pytest_tfkernel.hosts.jupyter",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "spyder_kernels.console.start",
    "spyder_kernels.console.kernel",
    "spyder_kernels.console.shell",
    "multiprocess",
    "multiprocess.popen_fork",
    "multiprocess.popen_spawn_posix",
    "multiprocess.popen_forkserver",
    "pytest_tfkernel.commands",
    "pytest_tfkernel.run.command",
    "pytest_tfkernel.run.managed",
    "nbformat.v4",
)
# Nobody debugs a kernel here, or looks at a figure; importing them takes longer than all else.
_KEPT_AWAY = ("debugpy", "matplotlib")
# They read variables while they are imported; what these import is imported.
_READ_WHEN_IMPORTED = ("ipykernel.kernelapp", "spyder_kernels.console.kernelapp", "spyder_kernels.console.start")
_MOST_BYTES = 1 << 20
_COMMAND_SECONDS = 120.0


class WarmHosts:
    """That process, for one worker, which adopts orphans."""

    def __init__(self) -> None:
        environment = {name: text for name, text in os.environ.items() if name != "PYTHONWARNINGS"}
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, __file__, str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()])

    @contextlib.contextmanager
    def beneath(self) -> Iterator[None]:
        """Supervisors that are started meanwhile are forks of it, but for one whose coverage is measured."""
        if is_measured():
            yield
            return
        import pytest

        with pytest.MonkeyPatch.context() as patch:
            module = types.ModuleType("posix")
            module.__dict__.update(vars(posix))
            module.__dict__["posix_spawn"] = self._spawn
            patch.setattr(spawning, "posix", module)
            yield

    def _spawn(self, path: str, argv: list[str], environment: dict[str, str], **more: Any) -> int:
        if not host_forks.is_supervisor(argv) or not becoming.begins_alike(environment, ("LD_",)):
            return posix.posix_spawn(path, argv, environment, **more)
        order, sources = host_forks.ordered(argv, environment, more["file_actions"])
        return self._fork(order, sources)

    def run(self, words: list[str], folder: Path, given: str = "") -> tuple[int, str, str]:
        """Run `python -I -m pytest_tfkernel` with these words, and this in its pipe: exit status, stdout and stderr."""
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(2)]
            reader, writer = map(stack.enter_context, map(os.fdopen, os.pipe(), "rw"))
            # There is room for some thousand characters in it.
            writer.write(given)
            writer.close()
            order = {
                "command": True,
                "arguments": words,
                "environment": dict(os.environ),
                "folder": str(folder),
                "targets": [0, 1, 2],
            }
            pid = self._fork(order, [one.fileno() for one in (reader, *files)])
            pidfd = os.pidfd_open(pid)
            stack.callback(os.close, pidfd)
            if not select.select([pidfd], [], [], _COMMAND_SECONDS)[0]:
                os.kill(pid, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            for one in files:
                one.seek(0)
            return status, files[0].read().decode(), files[1].read().decode()

    def _fork(self, order: dict[str, Any], sources: list[int]) -> int:
        descriptors = array.array("i", sources)
        self._socket.sendmsg([json.dumps(order).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        answer = self._socket.recv(64)
        assert answer, "what hosts are forked from has died"
        return int(answer)

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait(60)


def main(descriptor: int) -> None:
    """See the module."""
    sys.modules.update(dict.fromkeys(_KEPT_AWAY))  # type: ignore[arg-type]
    for name in _IMPORTED:
        with contextlib.suppress(ImportError), garbage.uncollected():
            importlib.import_module(name)
    for name in _KEPT_AWAY:
        del sys.modules[name]
    for name in _READ_WHEN_IMPORTED:
        if sys.modules.pop(name, None) is not None:
            package, _, last = name.rpartition(".")
            delattr(sys.modules[package], last)
    garbage.freeze()
    channel = socket.socket(fileno=descriptor)
    while True:
        data, descriptors, *_ = socket.recv_fds(channel, _MOST_BYTES, 16)
        if not data:
            return
        pid = _fork_twice()
        if pid == 0:
            channel.close()
            order = json.loads(data)
            (host_forks.command if order["command"] else host_forks.supervise)(order, descriptors)
        channel.sendall(b"%d" % pid)
        for one in descriptors:
            os.close(one)


def _fork_twice() -> int:
    """The pid of a grandchild, which has lost its parent already; 0 there."""
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.close(reader)
        pid = os.fork()
        if pid != 0:
            os.write(writer, b"%d" % pid)
            os._exit(0)
        os.close(writer)
        return 0
    os.close(writer)
    with os.fdopen(reader) as file:
        pid = int(file.read())
    os.waitpid(middle, 0)
    return pid


if __name__ == "__main__":
    main(int(sys.argv[1]))
