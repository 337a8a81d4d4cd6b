"""Hosts of kernels, and kernels of Jupyter's and Spyder's, forked from a process that has imported what they begin with.

A supervisor that is started `beneath` is a fork of that process; the host that it starts is a fork of the supervisor, and
the kernel that the manager in that host starts is a fork of the host: each is the child of whom it would be a child, with
the descriptors, limits and signals that it would have. Whatever else is started, is started as usual.

Nothing of what a fork comes from is unwound: it goes on where it would have been another program, and ends from there.

`python warm_hosts.py DESCRIPTOR` is that process. It reads what a supervisor is started with, and answers with a pid.
"""

from __future__ import annotations

import array
import asyncio
import atexit
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import posix
import resource
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import becoming
from measured import is_measured
from pytest_tfkernel._child import process
from pytest_tfkernel.kernels.generations import host as hosts
from pytest_tfkernel.processes import spawning
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER

_ORDINARY = [sys.executable, "-I", "-S", "-u", str(CHILD_FOLDER), "supervisor"]
_HOST = [sys.executable, "-I", "-u", str(hosts._HOSTS), "jupyter"]
_HOST_OF_MULTIPROCESS = [sys.executable, "-u", str(CHILD_FOLDER), "host_multiprocess"]
_KERNELS = ("ipykernel_launcher", "spyder_kernels.console")
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
)
# Nobody debugs a kernel here, or looks at a figure; importing them takes longer than all else.
_KEPT_AWAY = ("debugpy", "matplotlib")
# They read variables while they are imported; what these import is imported.
_READ_WHEN_IMPORTED = ("ipykernel.kernelapp", "spyder_kernels.console.kernelapp", "spyder_kernels.console.start")
# Heeded, or of no account for a kernel.
_HEEDED = ("PYTHONPATH", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
# Of `_posixsubprocess.fork_exec`, from Python 3.11 on.
_CALLED = 23
_LIMITS = [value for name, value in vars(resource).items() if name.startswith("RLIMIT_")]
_MOST_BYTES = 1 << 20
# In the process of all: where a new interpreter looks for modules, and what it warns of.
_PATH = [one for one in sys.path[1:] if one not in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
_FILTERS = list(warnings.filters)
_OURS = ("pytest_tfkernel", "becoming", "measured")
# What refers to closed descriptors, whose numbers are of something else by now, is never freed.
_KEPT: list[object] = []


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
        if argv[: len(_ORDINARY)] != _ORDINARY or not becoming.begins_alike(environment, ("LD_",)):
            return posix.posix_spawn(path, argv, environment, **more)
        _, *placed = more["file_actions"]
        order = {
            "arguments": argv[len(_ORDINARY) - 2 :],
            "environment": environment,
            "folder": str(Path.cwd()),
            "targets": [target for _, _, target in placed],
            "limits": [(number, resource.getrlimit(number)) for number in _LIMITS],
        }
        descriptors = array.array("i", [source for _, source, _ in placed])
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
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for name in _KEPT_AWAY:
        del sys.modules[name]
    for name in _READ_WHEN_IMPORTED:
        if sys.modules.pop(name, None) is not None:
            package, _, last = name.rpartition(".")
            delattr(sys.modules[package], last)
    gc.collect()
    gc.freeze()
    channel = socket.socket(fileno=descriptor)
    while True:
        data, descriptors, *_ = socket.recv_fds(channel, _MOST_BYTES, 16)
        if not data:
            return
        pid = _fork_twice()
        if pid == 0:
            channel.close()
            _supervise(json.loads(data), descriptors)
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


def _supervise(order: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Be a supervisor, which is started with all signals blocked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    null = os.open(os.devnull, os.O_RDONLY)
    process.place_descriptors({0: null, **dict(zip(order["targets"], descriptors, strict=True))}, inheritable=True)
    os.chdir(order["folder"])
    for number, both in order["limits"]:
        resource.setrlimit(number, both)
    ordinary = os.execve

    def execve(path: str, argv: list[str], environment: dict[str, str]) -> None:
        isolated = argv == _HOST
        # Of the others, PYTHONPATH may lead to another multiprocess.
        read, heeded = (("LD_",), ()) if isolated else (("PYTHON", "LD_"), _HEEDED[1:])
        if argv in (_HOST, _HOST_OF_MULTIPROCESS) and becoming.begins_alike(environment, read, heeded):
            os.execve = ordinary
            _host(argv[-2:], environment, isolated=isolated)
        ordinary(path, argv, environment)

    os.execve = execve  # type: ignore[assignment]
    _become(order["environment"], order["arguments"], _PATH)
    _run(lambda: _execute(CHILD_FOLDER))


def _host(arguments: list[str], environment: dict[str, str], *, isolated: bool) -> NoReturn:
    """In a child of a supervisor, in the place of its exec. An isolated one heeds no variable of Python's."""
    becoming.close_on_exec()
    _forget("_tfkernel_child")
    _begin_signals()
    _become(environment, arguments, _PATH if isolated else _search_path(environment))
    if isolated:
        subprocess._fork_exec = _FORK_EXEC.instead  # type: ignore[attr-defined]
    else:
        _forget(*_OURS)
        _heed(environment)
    _run(lambda: _execute(Path(arguments[0])))


class _ForkExec:
    """What `subprocess` starts processes with, but that kernels are forks."""

    def __init__(self) -> None:
        self._ordinary: Callable[..., int] = subprocess._fork_exec  # type: ignore[attr-defined]

    def instead(self, *called: Any) -> int:
        argv, _, _, kept, folder, variables, *_ = called
        is_kernel = len(called) == _CALLED and [*argv[:2]] == [sys.executable, "-m"] and argv[2] in _KERNELS
        if not is_kernel or variables is None:
            return self._ordinary(*called)
        pairs = (os.fsdecode(variable).partition("=") for variable in variables)
        environment = {name: text for name, _, text in pairs}
        if not becoming.begins_alike(environment, ("PYTHON", "LD_"), _HEEDED):
            return self._ordinary(*called)
        (own_in, _, _, own_out, _, own_err, _, complaints), preexec = called[6:14], called[21]
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                for target, source in enumerate((own_in, own_out, own_err)):
                    if source != -1:
                        os.dup2(source, target)
                if folder is not None:
                    os.chdir(folder)
                _begin_signals()
                preexec()
                for one in kept:
                    os.set_inheritable(one, True)
                self._close_all_but({*kept} - {complaints})
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
                os.write(complaints, f"SubprocessError:0:{error}".encode())
                os._exit(255)
            subprocess._fork_exec = self._ordinary  # type: ignore[attr-defined]
            _kernel(argv[2:], environment)
        return pid

    @staticmethod
    def _close_all_but(kept: set[int]) -> None:
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) not in kept:
                with contextlib.suppress(OSError):
                    os.close(int(name))


_FORK_EXEC = _ForkExec()


def _kernel(arguments: list[str], environment: dict[str, str]) -> NoReturn:
    """In a child of a host, in the place of its exec."""
    faulthandler.disable()
    _begin_signals(only_python=True)
    _forget(*_OURS)
    _KEPT.append(asyncio.get_event_loop_policy())
    asyncio.set_event_loop_policy(None)
    _become(environment, ["-m", *arguments[1:]], [str(Path.cwd()), *_search_path(environment)])
    _heed(environment)
    _run(lambda: runpy.run_module(arguments[0], run_name="__main__", alter_sys=True))


def _forget(*packages: str) -> None:
    """A new process has imported none of them."""
    names = [name for name in sys.modules if name.partition(".")[0] in packages]
    _KEPT.extend(sys.modules.pop(name) for name in names)


def _search_path(environment: dict[str, str]) -> list[str]:
    return [*(one for one in environment.get("PYTHONPATH", "").split(os.pathsep) if one), *_PATH]


def _heed(environment: dict[str, str]) -> None:
    """As an interpreter that reads these variables; what was imported meanwhile has added its own filters."""
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    imported = [one for one in warnings.filters if one not in _FILTERS]
    warnings.filters[:] = _FILTERS  # type: ignore[index]
    sys.warnoptions[:] = [one for one in environment.get("PYTHONWARNINGS", "").split(",") if one]
    warnings._processoptions(sys.warnoptions)  # type: ignore[attr-defined]
    warnings.filters[:0] = imported  # type: ignore[index]
    warnings._filters_mutated()  # type: ignore[attr-defined]


def _begin_signals(*, only_python: bool = False) -> None:
    """As an interpreter begins, with those that are ignored by default."""
    if not only_python:
        signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)


def _become(environment: dict[str, str], arguments: list[str], path: list[str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    becoming.renew_streams()
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv[:], sys.path[:] = arguments, path


def _execute(folder: Path) -> None:
    file = folder / "__main__.py"
    sys.path.insert(0, str(folder))
    main = sys.modules["__main__"]
    main.__file__ = str(file)
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), main.__dict__)


def _run(begin: Callable[[], object]) -> NoReturn:
    """And end as an interpreter does."""
    code: object = 0
    atexit._clear()
    try:
        begin()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as an interpreter does
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    posix._exit(code & 0xFF if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
