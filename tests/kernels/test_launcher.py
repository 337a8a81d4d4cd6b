"""A launcher: what it gives out while it is open, and that all of it ends with it."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfkernel.kernels import launcher as module
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelStartError, SpecError, SupervisorGoneError
from pytest_tfkernel.model.kernels import Interpreter, KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.processes.cgroups import PIDS
from pytest_tfkernel.processes.supervisor import Supervisor

StartKernel = Callable[..., Kernel]
LIGHT = KernelSpec(provisioner=ForkServer(preload=()))


class TestItsEnd:
    def test_is_that_of_all_that_it_started(self, await_death: Callable[[int], None]) -> None:
        with Launcher() as launcher:
            kernel = launcher.start(LIGHT)
            folder, supervisor = launcher.temporary, launcher.supervisor.pid
            assert folder.is_dir()
        assert kernel.is_shut_down
        assert not kernel.is_alive
        await_death(kernel.pid)
        await_death(supervisor)
        assert not folder.exists()

    def test_comes_once(self) -> None:
        launcher = Launcher()
        launcher.close()
        launcher.close()
        with pytest.raises(SupervisorGoneError):
            launcher.start(LIGHT)

    def test_leaves_no_folder_where_the_supervisor_was_killed(self) -> None:
        with Launcher() as launcher:
            os.kill(launcher.supervisor.pid, signal.SIGKILL)
            assert launcher.temporary.is_dir()
        assert not launcher.temporary.exists()

    def test_is_not_brought_about_by_a_fork(self, launcher: Launcher, start: StartKernel) -> None:
        kernel = start()
        pid = os.fork()
        if pid == 0:
            launcher.close()
            os._exit(0)
        assert os.waitpid(pid, 0) == (pid, 0)
        assert kernel.execute("1").value == 1
        assert launcher.temporary.is_dir()


class TestInterpreters:
    def test_each_is_asked_once(self, launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def describe(python: str, *_: object) -> Interpreter:
            asked.append(python)
            return Interpreter(python, (3, 11, 0), None)

        monkeypatch.setattr(module, "describe", describe)
        monkeypatch.setattr(launcher, "_interpreters", {})
        found = [launcher.interpreter(python) for python in ("a", "b", "a")]
        assert [one.executable for one in found] == ["a", "b", "a"]
        assert asked == ["a", "b"]


class TestKernels:
    def test_begin_with_what_is_checked(self, launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(launcher, "interpreter", lambda _: pytest.fail("an interpreter was asked before"))
        before = launcher.cold_starts
        with pytest.raises(SpecError, match="timeout"):
            launcher.start(KernelSpec(timeout=-1))
        assert launcher.cold_starts == before

    def test_of_one_fork_server_are_one_cold_start(self, launcher: Launcher, start: StartKernel) -> None:
        start()
        before = launcher.cold_starts
        assert start().execute("1").value == 1
        assert launcher.cold_starts == before > 0

    def test_have_folders_of_their_own_in_its_own(self, launcher: Launcher, start: StartKernel) -> None:
        folders = [start().life.temporary for _ in range(2)]
        assert len(set(folders)) == 2
        assert {one.parent for one in folders} == {launcher.temporary}

    def test_that_are_shut_down_are_forgotten(self, launcher: Launcher, start: StartKernel) -> None:
        first = start()
        first.shutdown()
        second = start()
        assert first not in launcher._kernels
        assert second in launcher._kernels


def test_no_two_marks_are_the_same(launcher: Launcher) -> None:
    assert len({launcher.new_lease() for _ in range(100)}) == 100


def test_a_cgroup_is_named_by_this_process(launcher: Launcher, needs_cgroup: Callable[[str], None]) -> None:
    needs_cgroup(PIDS)
    one, two = launcher.new_cgroup((PIDS,)), launcher.new_cgroup((PIDS,))
    try:
        assert not set(one.procs_files) & set(two.procs_files)
        names = [Path(file).parent.name for file in one.procs_files]
        assert names
        assert all(name.startswith(f"tfkernel-{os.getpid()}-") for name in names)
    finally:
        one.remove()
        two.remove()


class TestTheFolder:
    def test_that_cannot_be_made_is_a_line_and_leaves_no_supervisor(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ended: list[int] = []
        close = Supervisor.close

        def closing(supervisor: Supervisor) -> None:
            ended.append(supervisor.pid)
            close(supervisor)

        monkeypatch.setattr(Supervisor, "close", closing)
        monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
        with pytest.raises(KernelStartError, match="^no temporary folder can be made: .*: set TMPDIR to one that you"):
            Launcher()
        (pid,) = ended
        assert not Path(f"/proc/{pid}").exists()

    def test_that_is_gone_is_made_anew(self) -> None:
        with Launcher() as launcher:
            before = launcher.temporary
            before.rmdir()
            kernel = launcher.start(LIGHT)
            assert launcher.temporary != before
            assert kernel.life.temporary.parent == launcher.temporary
