"""Generations of our own: what a maker gets, and that nothing stays of a kernel that it couldn't make."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel._child.kin import TOKEN
from pytest_tfkernel.kernels.generations.base import OwnGenerations, Supplies
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.provisioners.base import Launch
from pytest_tfkernel.model.errors import KernelStartError, NoRoomError, SupervisorGoneError
from pytest_tfkernel.model.kernels import Interpreter, KernelSpec
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.cgroups import MEMORY, PIDS, Cgroup, CgroupUnavailableError
from pytest_tfkernel.processes.waits import Event

StartKernel = Callable[..., Kernel]
INTERPRETER = Interpreter(sys.executable, (3, 11, 0), None)
LEASE = 77


class RefusedError(KernelStartError):
    pass


@dataclass
class Maker:
    """Makes nothing, and keeps what it was asked for."""

    name: str = "subprocess"
    cold_starts: int = 0
    wanted: list[Launch] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def launch(self, wanted: Launch) -> ProcessId:
        self.wanted.append(wanted)
        given = (wanted.stdout, wanted.stderr, wanted.channel, wanted.stacks)
        self.opened = [os.readlink(f"/proc/self/fd/{one}").partition(" ")[0] for one in given]
        raise RefusedError("no process")

    def elegy(self, process: ProcessId) -> str:
        return ""

    def close(self) -> None:
        """There is nothing."""


@dataclass
class Group:
    """Stands for a cgroup."""

    refuses: type[Exception] | None = None
    limits: dict[str, int] = field(default_factory=dict)
    procs_files: tuple[str, ...] = ("/cgroup/cgroup.procs",)
    removed: int = 0

    def limit_memory(self, limit: int) -> None:
        self.limits[MEMORY] = limit

    def limit_processes(self, limit: int) -> None:
        if self.refuses is not None:
            raise self.refuses("no")
        self.limits[PIDS] = limit

    def remove(self) -> None:
        self.removed += 1


class Supervisor:
    """Stands for one that is asked for nothing but whose it is."""

    gone = False

    def check_ours(self) -> None:
        if self.gone:
            raise SupervisorGoneError("gone")


@dataclass
class Giver:
    """Gives what a launcher would."""

    folder: Path
    group: Group = field(default_factory=Group)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    supervisor: Supervisor = field(default_factory=Supervisor)
    unavailable: bool = False

    def _new_cgroup(self, controllers: tuple[str, ...]) -> Any:
        self.asked.append(controllers)
        if self.unavailable:
            raise CgroupUnavailableError("there is no cgroup file system")
        return self.group

    def _new_temporary(self) -> Path:
        made = self.folder / "1"
        made.mkdir()
        return made

    def supplies(self) -> Supplies:
        supervisor: Any = self.supervisor
        return Supplies(supervisor, lambda _: LEASE, self._new_cgroup, self._new_temporary, lambda: None)


@pytest.fixture
def giver(tmp_path: Path) -> Giver:
    return Giver(tmp_path)


def _launch(giver: Giver, maker: Maker | None = None, **spec: Any) -> Launch:
    maker = maker or Maker()
    with pytest.raises(RefusedError):
        OwnGenerations(giver.supplies(), maker, KernelSpec(**spec), INTERPRETER).launch(1)
    (wanted,) = maker.wanted
    return wanted


class TestWhatAMakerGets:
    def test_is_the_spec_and_what_was_made_for_it(self, giver: Giver) -> None:
        maker = Maker()
        wanted = _launch(giver, maker, folder="/", open_files_limit=64, environment={"A": "1"})
        assert (wanted.spec.open_files_limit, wanted.interpreter) == (64, INTERPRETER)
        assert (wanted.order.lease, wanted.order.folder, wanted.order.cgroups) == (LEASE, "/", ())
        assert [limit for _, limit in wanted.order.limits] == [64]
        own = {name: wanted.environment[name] for name in ("A", "TMPDIR", TOKEN)}
        assert own == {"A": "1", "TMPDIR": str(giver.folder / "1"), TOKEN: str(LEASE)}
        # They are open while it works.
        stdout, stderr, channel, stacks = maker.opened
        assert [one.partition("-")[2] for one in (stdout, stderr, stacks)] == ["stdout", "stderr", "stacks"]
        assert channel.startswith("socket:")

    def test_is_a_cgroup_where_a_limit_needs_one(self, giver: Giver) -> None:
        assert _launch(giver, process_limit=100).order.cgroups == giver.group.procs_files
        assert (giver.asked, giver.group.limits) == ([(PIDS,)], {PIDS: 100})


class TestOfAKernelThatCouldNotBeMade:
    def test_nothing_stays(self, giver: Giver) -> None:
        wanted = _launch(giver, process_limit=100)
        assert list(giver.folder.iterdir()) == []
        assert giver.group.removed == 1
        for descriptor in (wanted.stdout, wanted.stderr, wanted.channel, wanted.stacks):
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(descriptor)

    def test_nothing_is_begun_under_a_supervisor_that_is_gone(self, giver: Giver) -> None:
        giver.supervisor.gone = True
        maker = Maker()
        with pytest.raises(SupervisorGoneError):
            OwnGenerations(giver.supplies(), maker, KernelSpec(process_limit=5), INTERPRETER).launch(1)
        assert (maker.wanted, giver.asked, list(giver.folder.iterdir())) == ([], [], [])

    def test_a_limit_on_descriptors_is_told(self, giver: Giver, monkeypatch: pytest.MonkeyPatch) -> None:
        closed = []

        class Capture:
            def __init__(self, name: str) -> None:
                if name == "stacks":
                    raise OSError(24, "Too many open files")
                self.name = name

            def close(self) -> None:
                closed.append(self.name)

        monkeypatch.setattr("pytest_tfkernel.kernels.generations.base.Capture", Capture)
        with pytest.raises(NoRoomError, match=r"^no kernel can be started: .* Too many open files: .*`ulimit -n`"):
            OwnGenerations(giver.supplies(), Maker(), KernelSpec(), INTERPRETER).launch(1)
        assert closed == ["stderr", "stdout"]


class TestLimits:
    @pytest.mark.parametrize(
        ("spec", "limits"),
        [
            ({}, None),
            ({"address_space_limit": 1 << 30, "open_files_limit": 64}, None),
            ({"memory_limit": 1 << 30}, {MEMORY: 1 << 30}),
            ({"process_limit": 50}, {PIDS: 50}),
            ({"memory_limit": 1 << 30, "process_limit": 50}, {MEMORY: 1 << 30, PIDS: 50}),
        ],
    )
    def test_of_memory_and_processes_are_those_of_a_cgroup(
        self, giver: Giver, spec: dict[str, int], limits: dict[str, int] | None
    ) -> None:
        made: Cgroup | None = giver.supplies().limiting_cgroup(KernelSpec(**spec))  # type: ignore[arg-type]
        assert (made is not None) is (limits is not None)
        assert giver.group.limits == (limits or {})
        assert giver.asked == ([tuple(limits)] if limits else [])

    def test_without_a_cgroup_are_refused_with_the_reason(self, giver: Giver) -> None:
        giver.unavailable = True
        with pytest.raises(KernelStartError, match="need a cgroup, and none can be made: there is no cgroup file sys"):
            giver.supplies().limiting_cgroup(KernelSpec(process_limit=5))

    @pytest.mark.parametrize("error", [OSError, CgroupUnavailableError])
    def test_that_cannot_be_set_leave_no_cgroup(self, giver: Giver, error: type[Exception]) -> None:
        giver.group.refuses = error
        with pytest.raises(KernelStartError, match="none can be made: no$"):
            giver.supplies().limiting_cgroup(KernelSpec(process_limit=5))
        assert giver.group.removed == 1


def test_nobody_restarts_it_unasked_and_who_would_is_told(giver: Giver) -> None:
    generations = OwnGenerations(giver.supplies(), Maker("forkserver"), KernelSpec(), INTERPRETER)
    with pytest.raises(KernelStartError, match="^nobody restarts a kernel of 'forkserver' .* 'jupyter' or 'spyder'"):
        generations.succeed(1, 1.0, asked=False)


def test_what_was_made_is_a_life_of_that_generation(start: StartKernel) -> None:
    kernel = start()
    life = kernel._generations.launch(7)
    try:
        assert (life.generation, life.process != kernel.life.process) == (7, True)
        assert (life.temporary.is_dir(), life.temporary != kernel.life.temporary) == (True, True)
        assert life.lease != kernel.life.lease
        assert life.wait(60) is Event.READABLE
        hello = life.receive(60)
        assert hello is not None
        assert hello["kind"] == "hello"
    finally:
        life.end()
        life.bury()
        life.clean_up()
