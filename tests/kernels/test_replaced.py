"""Kernels work in a pytest process, and run cells, in which the means of the system have been replaced."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelHung
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer

StartKernel = Callable[..., Kernel]
Replace = Callable[[pytest.MonkeyPatch], None]


def _refuse(*_: object, **__: object) -> NoReturn:
    raise AssertionError("what a test has replaced was used")


class _Refused:
    """Stands for a class, as that of pytest-socket and pytest-subprocess do."""

    def __new__(cls, *_: object, **__: object) -> NoReturn:
        _refuse()


def _refusing(module: object, *names: str) -> Replace:
    def replace(patch: pytest.MonkeyPatch) -> None:
        for name in names:
            patch.setattr(module, name, _Refused if isinstance(getattr(module, name), type) else _refuse)

    return replace


def _default_timeout(seconds: float) -> Replace:
    def replace(patch: pytest.MonkeyPatch) -> None:
        socket.setdefaulttimeout(seconds)

    return replace


def _without_poll(patch: pytest.MonkeyPatch) -> None:
    # As eventlet does.
    for name in ("poll", "epoll"):
        patch.delattr(select, name)


def _stopped_clock(patch: pytest.MonkeyPatch) -> None:
    for name in ("monotonic", "time", "perf_counter"):
        patch.setattr(time, name, lambda: 0.0)


def _another_pid(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(os, "getpid", lambda: 1)


_REPLACED: dict[str, Replace] = {
    "default timeout": _default_timeout(30.0),
    "default timeout of nothing": _default_timeout(0.0),
    "socket": _refusing(socket, "socket", "socketpair", "send_fds", "recv_fds", "create_connection"),
    "Popen": _refusing(subprocess, "Popen", "run"),
    "processes": _refusing(os, "fork", "waitpid", "wait4", "kill", "pidfd_open", "posix_spawn", "execve"),
    "descriptors": _refusing(os, "read", "write", "pread", "dup", "pipe", "memfd_create"),
    "select": _refusing(select, "poll", "select"),
    "no poll": _without_poll,
    "clock": _stopped_clock,
    "sleep": _refusing(time, "sleep"),
    "pid": _another_pid,
    "threads": _refusing(threading, "Thread", "Event"),
}


_WITH_A_HOST = {"default timeout of nothing", "socket", "descriptors", "no poll", "threads"}


class TestInOurs:
    @pytest.fixture
    def replace(self) -> object:
        """The default timeout is no attribute, and so not monkeypatch's to restore."""
        before = socket.getdefaulttimeout()
        yield
        socket.setdefaulttimeout(before)

    @pytest.mark.parametrize(
        ("provisioner", "replace_it"),
        [
            pytest.param(
                provisioner,
                _REPLACED[name],
                id=f"{name}-{provisioner}",
                # It asks its host by the same sockets.
                marks=[pytest.mark.soak] if provisioner == "multiprocess-spawn" and name not in _WITH_A_HOST else [],
            )
            for name in _REPLACED
            for provisioner in ("subprocess", "forkserver", "multiprocess-spawn")
        ],
    )
    def test_a_kernel_lives_and_dies_as_ever(
        self, nothing_is_left: None, replace: None, replace_it: Replace, provisioner: str
    ) -> None:
        chosen = ForkServer(preload=()) if provisioner == "forkserver" else provisioner
        with pytest.MonkeyPatch.context() as patch:
            replace_it(patch)
            with Launcher() as launcher:
                kernel = launcher.start(KernelSpec(provisioner=chosen, timeout=20.0))
                assert kernel.execute("print('x'); 1").stdout == "x\n"
                assert kernel.call(lambda: 4) == 4
                outcome = kernel.inject("sigkill")
                assert outcome.post_mortem is not None
                assert str(outcome.post_mortem.exit_status) == "SIGKILL"
                kernel.restart()
                with pytest.raises(KernelHung):
                    kernel.execute("import time; time.sleep(60)", timeout=0.3)
        assert not kernel.is_alive

    @pytest.mark.parametrize("name", ["gevent", "eventlet"])
    def test_by_a_library_that_replaces_all_of_it(self, nothing_is_left: None, name: str) -> None:
        pytest.importorskip(name, reason=f"needs {name}: pip install {name}")
        patching = {"gevent": "import gevent.monkey; gevent.monkey.patch_all()", "eventlet": "eventlet.monkey_patch()"}
        script = f"""
import warnings
warnings.simplefilter("ignore")
import {name}
{patching[name]}
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
with Launcher() as launcher:
    for provisioner in ("subprocess", "multiprocess-spawn"):
        kernel = launcher.start(KernelSpec(provisioner=provisioner))
        assert kernel.execute("1").value == 1
        assert str(kernel.inject("sigkill").post_mortem.exit_status) == "SIGKILL"
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


_CELLS = {
    "default timeout": "import socket; socket.setdefaulttimeout(0.001)",
    "no blocking": "import os\nfor n in range(3, 16):\n    try: os.set_blocking(n, False)\n    except OSError: pass",
    "os": "import os\nfor name in ('read', 'write', 'close', 'dup', 'getpid', 'fork'): setattr(os, name, None)",
    "pid": "import os; os.getpid = lambda: 1",
    "socket": "import socket; socket.socket = socket.socketpair = None",
    "select": "import select; del select.poll, select.select",
    "time": "import time; time.monotonic = time.time = lambda: 'x'",
    "signal": "import signal; signal.signal = None",
    "json": "import json; json.dumps = json.loads = json.JSONEncoder.encode = None",
    "no descriptors": "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (0, r.getrlimit(r.RLIMIT_NOFILE)[1]))",
}


@pytest.mark.parametrize("provisioner", ["subprocess", "forkserver"])
@pytest.mark.parametrize("cell", _CELLS.values(), ids=_CELLS)
def test_a_cell_that_replaces_them_has_its_kernel_still(start: StartKernel, cell: str, provisioner: str) -> None:
    kernel = start(provisioner=provisioner)
    kernel.execute(cell)
    assert kernel.execute("2 + 2").value == 4
    # A signal that asks for its stack wakes it.
    hangs = "_tfkernel_mark('x')\nimport signal\nwhile True: signal.pause()"
    with pytest.raises(KernelHung):
        kernel.execute_marked(hangs, lambda _: None, timeout=0.3)


def test_an_interpreter_whose_sitecustomize_replaces_them(start: StartKernel, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import socket; socket.setdefaulttimeout(30)")
    for provisioner in ("subprocess", "forkserver", "multiprocess-spawn"):
        kernel = start(provisioner=provisioner, environment={"PYTHONPATH": str(tmp_path)})
        assert kernel.execute("import socket; socket.getdefaulttimeout()").value == 30
