"""What a process that has imported a lot becomes, when it is forked: a supervisor, a command, a host, or a kernel.

Nothing of what a fork comes from is unwound: it goes on where it would have been another program, and ends from there.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import faulthandler
import os
import posix
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import becoming
from pytest_tfkernel._child import process
from pytest_tfkernel.kernels.generations import host as hosts
from pytest_tfkernel.processes import spawning
from pytest_tfkernel.processes.supervisor import CHILD_FOLDER

_ORDINARY = [sys.executable, "-I", "-S", "-u", str(CHILD_FOLDER), "supervisor"]
_HOST = [sys.executable, "-I", "-u", str(hosts._HOSTS), "jupyter"]
_HOST_OF_MULTIPROCESS = [sys.executable, "-u", str(CHILD_FOLDER), "host_multiprocess"]
_KERNELS = ("ipykernel_launcher", "spyder_kernels.console")
# Heeded, or of no account for a kernel.
_HEEDED = ("PYTHONPATH", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
# A manager waits so long for a kernel that is to end, and not 5 s.
PATIENCE = "TFKERNEL_TEST_PATIENCE"
# Of `_posixsubprocess.fork_exec`, from Python 3.11 on.
_CALLED = 23
# In the process of all: where a new interpreter looks for modules, and what it warns of.
_PATH = [one for one in sys.path[1:] if one not in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
_FILTERS = list(warnings.filters)
_OURS = ("pytest_tfkernel", "becoming", "host_forks", "measured")
# What refers to closed descriptors, whose numbers are of something else by now, is never freed.
_KEPT: list[object] = []


def is_supervisor(argv: list[str]) -> bool:
    """Whether this is how one is started."""
    return argv[: len(_ORDINARY)] == _ORDINARY


def ordered(
    argv: list[str], environment: dict[str, str], actions: list[tuple[int, int, int]]
) -> tuple[dict[str, Any], list[int]]:
    """What a supervisor is started with, and the sources of its descriptors."""
    _, *placed = actions
    order = {"command": False, **becoming.ordered(argv[len(_ORDINARY) - 2 :], environment, placed)}
    return order, [source for _, source, _ in placed]


def supervise(order: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Be a supervisor, which is started with all signals blocked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    becoming.take_up(order, descriptors)
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


def command(order: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Be a command of ours, in a session of its own."""
    os.setsid()
    process.place_descriptors(dict(zip(order["targets"], descriptors, strict=True)), inheritable=True)
    os.chdir(order["folder"])

    def spawn(path: str, argv: list[str], environment: dict[str, str], **more: Any) -> int:
        if not is_supervisor(argv):
            return posix.posix_spawn(path, argv, environment, **more)
        pid = os.fork()
        if pid == 0:
            supervise(*ordered(argv, environment, more["file_actions"]))
        return pid

    vars(spawning)["posix"] = module = types.ModuleType("posix")
    module.__dict__.update(vars(posix))
    module.__dict__["posix_spawn"] = spawn
    _become(order["environment"], ["pytest_tfkernel", *order["arguments"]], _PATH)
    _run(lambda: runpy.run_module("pytest_tfkernel", run_name="__main__", alter_sys=True))


def _host(arguments: list[str], environment: dict[str, str], *, isolated: bool) -> NoReturn:
    """In a child of a supervisor, in the place of its exec. An isolated one heeds no variable of Python's."""
    becoming.close_on_exec()
    _forget("_tfkernel_child")
    _begin_signals()
    _become(environment, arguments, _PATH if isolated else _search_path(environment))
    if isolated and PATIENCE in environment:
        from pytest_tfkernel.hosts.provisioner import PostMortemProvisioner

        seconds = float(environment[PATIENCE])
        PostMortemProvisioner.get_shutdown_wait_time = lambda *_, **__: seconds  # type: ignore[method-assign]
    if isolated and hasattr(subprocess, "_fork_exec"):
        subprocess._fork_exec = _FORK_EXEC.instead
    if not isolated:
        _forget(*_OURS)
        _heed(environment)
    _run(lambda: _execute(Path(arguments[0])))


class _ForkExec:
    """What `subprocess` starts processes with, but that kernels are forks."""

    def __init__(self) -> None:
        self._ordinary: Any = vars(subprocess).get("_fork_exec")

    def instead(self, *called: Any) -> int:
        argv, _, _, kept, folder, variables, *_ = called
        is_kernel = len(called) == _CALLED and [*argv[:2]] == [sys.executable, "-m"] and argv[2] in _KERNELS
        if not is_kernel or variables is None:
            return int(self._ordinary(*called))
        pairs = (os.fsdecode(variable).partition("=") for variable in variables)
        environment = {name: text for name, _, text in pairs}
        if not becoming.begins_alike(environment, ("PYTHON", "LD_"), _HEEDED):
            return int(self._ordinary(*called))
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
