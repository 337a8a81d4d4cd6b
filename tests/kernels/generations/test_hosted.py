"""The host of a kernel is ended, stopped, or can't begin."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import hosted_kernels
from hosted_kernels import JUPYTER, SPYDER, host_pid
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelDied, KernelHung, KernelStartError, SpecError
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.processes import Cause, Killer
from pytest_tfkernel.model.provisioners import Jupyter

StartKernel = Callable[..., Kernel]


@pytest.fixture(scope="module", autouse=True)
def silent_hosts() -> Iterator[list[str]]:
    yield from hosted_kernels.silent_hosts()


@pytest.fixture(scope="module")
def launcher(host_launcher: Launcher) -> Launcher:
    """Its hosts, and their kernels, are forks."""
    return host_launcher


@pytest.fixture
def kernel(start: StartKernel, launcher: Launcher) -> Kernel:
    python = JUPYTER.python(launcher)
    return start(provisioner=Jupyter(restart_poll=0.1), python=python, environment=JUPYTER.environment)


class TestGone:
    def test_the_kernel_dies_with_its_host_and_that_is_said(self, kernel: Kernel) -> None:
        host = host_pid(kernel)
        with pytest.raises(KernelDied, match=f"the process of its manager, {host}, had ended") as caught:
            kernel.execute("import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(30)")
        assert (caught.value.post_mortem.cause, caught.value.post_mortem.killer) == (Cause.SIGNAL, Killer.UNKNOWN)
        with pytest.raises(KernelStartError, match="the kernel's host is gone: it died of SIGKILL"):
            kernel.restart(asked=False)
        kernel.restart()
        assert (kernel.generation, kernel.execute("1").value) == (2, 1)

    def test_with_its_last_words(self, kernel: Kernel, silent_hosts: list[str]) -> None:
        # From the cell: before it, the kernel might be dead when it is asked.
        cell = "import os, signal, time\nos.kill(os.getppid(), signal.SIGSEGV)\ntime.sleep(30)"
        with pytest.raises(
            KernelDied, match="the kernel with it: it died of SIGSEGV; its last words: Fatal Python error"
        ):
            kernel.execute(cell)
        kernel.restart()
        assert silent_hosts.pop().startswith("Fatal Python error")

    def test_between_cells_too(self, kernel: Kernel, await_death: Callable[[int], None]) -> None:
        os.kill(host_pid(kernel), signal.SIGTERM)
        await_death(kernel.pid)
        assert not kernel.is_alive
        kernel.restart()
        assert kernel.execute("1").value == 1
        os.kill(host_pid(kernel), signal.SIGKILL)
        kernel.shutdown()


class TestStopped:
    def test_a_cell_has_its_deadline_all_the_same(self, kernel: Kernel) -> None:
        with pytest.raises(KernelHung, match="no reply for 0.5 s"):
            kernel.execute("import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)", timeout=0.5)
        assert kernel.post_mortems[-1].exit_status is not None
        kernel.restart()
        assert kernel.execute("1").value == 1

    def test_an_asked_restart_wakes_it(self, kernel: Kernel) -> None:
        os.kill(host_pid(kernel), signal.SIGSTOP)
        kernel.restart()
        assert (kernel.generation, kernel.execute("1").value) == (2, 1)


class TestMissing:
    def test_jupyter_client_beside_pytest(
        self, start: StartKernel, monkeypatch: pytest.MonkeyPatch, launcher: Launcher
    ) -> None:
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, *rest: None if name == "jupyter_client" else find(name, *rest)
        )
        with pytest.raises(SpecError, match=r"needs jupyter_client beside pytest: .*'pytest-tfkernel\[jupyter\]'"):
            start(provisioner="jupyter")

    @pytest.mark.parametrize(("kind", "package"), [(JUPYTER, "ipykernel"), (SPYDER, "spyder-kernels")])
    def test_what_runs_the_kernel_in_its_interpreter(
        self,
        start: StartKernel,
        launcher: Launcher,
        kind: hosted_kernels.Kind,
        package: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        python = kind.python(launcher)
        bare = Interpreter(python, (3, 11, 0), None)
        monkeypatch.setattr(launcher, "_interpreters", {python: bare})
        with pytest.raises(SpecError, match=rf"has no {package}: `{python} -m pip install {package}`"):
            start(provisioner=kind.provisioner, python=python)


def test_a_host_that_can_not_begin_says_why(
    start: StartKernel,
    launcher: Launcher,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    silent_hosts: list[str],
) -> None:
    JUPYTER.python(launcher)
    (tmp_path / "__main__.py").write_text("raise ImportError('libzmq.so.5 is missing')", encoding="utf-8")
    monkeypatch.setattr("pytest_tfkernel.kernels.generations.host._HOSTS", tmp_path)
    with pytest.raises(KernelStartError, match=r"host is gone: .* ImportError: libzmq.so.5 is missing"):
        start(provisioner="jupyter")
    assert "ImportError" in silent_hosts.pop()
