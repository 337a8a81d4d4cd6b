"""Where cgroups can be made, read from what /proc says, on v1 and v2; and that they bite."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.processes.cgroups import (
    MEMORY,
    PIDS,
    CgroupUnavailableError,
    Parent,
    find_parent,
    limiting,
    name_for,
)

StartKernel = Callable[..., Kernel]


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., Path]:
    """A stand-in for /proc/self with these memberships and mounts (`kind root folder options`)."""

    def make(memberships: list[str], mounts: list[tuple[str, str, Path, str]]) -> Path:
        folder = tmp_path / "proc"
        folder.mkdir()
        (folder / "cgroup").write_text("".join(f"{line}\n" for line in memberships))
        lines = ["22 1 0:5 / /proc rw - proc proc rw"]
        for number, (kind, root, at, options) in enumerate(mounts):
            lines.append(f"{30 + number} 22 0:{number} {root} {at} rw,nosuid shared:9 - {kind} cgroup rw,{options}")
        (folder / "mountinfo").write_text("".join(f"{line}\n" for line in lines))
        return folder

    return make


def delegate(folder: Path, controllers: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.subtree_control").write_text(controllers)
    (folder / "cgroup.procs").write_text("")


class TestVersion1:
    def test_ours_is_below_the_mount(self, process: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "memory/mine").mkdir(parents=True)
        made = process(["4:memory:/mine", "0::/"], [("cgroup", "/", tmp_path / "memory", "memory")])
        assert find_parent(MEMORY, made) == Parent(1, tmp_path / "memory/mine")

    def test_controllers_may_share_a_mount(self, process: Callable[..., Path], tmp_path: Path) -> None:
        made = process(["4:pids,memory:/"], [("cgroup", "/", tmp_path, "pids,memory")])
        assert find_parent(PIDS, made) == find_parent(MEMORY, made) == Parent(1, tmp_path)

    def test_a_mount_may_show_a_part_only(self, process: Callable[..., Path], tmp_path: Path) -> None:
        (tmp_path / "inner").mkdir()
        made = process(["4:memory:/docker/abc/inner"], [("cgroup", "/docker/abc", tmp_path, "memory")])
        assert find_parent(MEMORY, made) == Parent(1, tmp_path / "inner")

    def test_in_a_container_the_path_may_be_the_hosts(self, process: Callable[..., Path], tmp_path: Path) -> None:
        made = process(["4:memory:/docker/abc"], [("cgroup", "/", tmp_path, "memory")])
        assert find_parent(MEMORY, made) == Parent(1, tmp_path)

    def test_one_that_is_not_mounted_says_so(self, process: Callable[..., Path]) -> None:
        with pytest.raises(CgroupUnavailableError, match=r"^the memory cgroup controller is not mounted$"):
            find_parent(MEMORY, process(["4:memory:/"], []))

    def test_one_that_is_read_only_says_so(self, process: Callable[..., Path]) -> None:
        # /proc is a folder in which nobody can make one, not even root.
        made = process(["4:memory:/"], [("cgroup", "/", Path("/sys/no/such"), "memory")])
        with pytest.raises(CgroupUnavailableError, match=r"^/sys/no/such is not writable: run as root.*$"):
            find_parent(MEMORY, made)


class TestVersion2:
    def test_the_nearest_delegated_one_is_taken(self, process: Callable[..., Path], tmp_path: Path) -> None:
        delegate(tmp_path / "top", "cpu memory pids")
        delegate(tmp_path / "top/slice", "memory")
        delegate(tmp_path / "top/slice/mine", "")
        made = process(["0::/slice/mine"], [("cgroup2", "/", tmp_path / "top", "nsdelegate")])
        assert find_parent(MEMORY, made) == Parent(2, tmp_path / "top/slice")
        assert find_parent(PIDS, made) == Parent(2, tmp_path / "top")

    def test_none_outside_of_the_mount_is_taken(self, process: Callable[..., Path], tmp_path: Path) -> None:
        delegate(tmp_path, "memory")
        delegate(tmp_path / "top", "")
        made = process(["0::/"], [("cgroup2", "/", tmp_path / "top", "nsdelegate")])
        with pytest.raises(
            CgroupUnavailableError, match=r"^no cgroup at or above .*/top is delegated with the memory"
        ) as e:
            find_parent(MEMORY, made)
        assert "cgroup.subtree_control" in str(e.value)
        assert "\n" not in str(e.value)

    def test_a_mount_may_show_a_part_only(self, process: Callable[..., Path], tmp_path: Path) -> None:
        delegate(tmp_path / "top", "memory")
        made = process(["0::/user.slice/mine"], [("cgroup2", "/user.slice", tmp_path / "top", "nsdelegate")])
        assert find_parent(MEMORY, made) == Parent(2, tmp_path / "top")

    def test_one_that_is_not_mounted_says_so(self, process: Callable[..., Path]) -> None:
        with pytest.raises(CgroupUnavailableError, match=r"^cgroup v2 is not mounted$"):
            find_parent(MEMORY, process(["0::/"], []))


class TestNone:
    def test_without_the_controller_it_says_so(self, process: Callable[..., Path]) -> None:
        with pytest.raises(CgroupUnavailableError, match=r"^this Linux kernel has no memory cgroup controller$"):
            find_parent(MEMORY, process(["1:cpu:/"], []))

    def test_without_proc_it_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(CgroupUnavailableError, match=r"^cgroups can't be read here: .*No such file.*$"):
            find_parent(MEMORY, tmp_path)

    def test_a_limit_that_cannot_be_set_is_a_reason(self, start: StartKernel, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise CgroupUnavailableError("cgroup v2 is not mounted")

        monkeypatch.setattr("pytest_tfkernel.processes.cgroups.find_parent", refuse)
        words = "^memory_limit and process_limit need a cgroup, and none can be made: cgroup v2 is not mounted$"
        with pytest.raises(KernelStartError, match=words):
            start(memory_limit=1 << 30)


class TestLimits:
    @pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
    def test_processes_are_limited(
        self, start: StartKernel, needs_cgroup: Callable[[str], None], provisioner: str
    ) -> None:
        needs_cgroup(PIDS)
        kernel = start(process_limit=3, provisioner=provisioner)
        cell = "import os\npids = []\ntry:\n    while True:\n        pid = os.fork()\n        if not pid: os.read(os.pipe()[0], 1)\n        pids.append(pid)\nexcept OSError as error: said = str(error)\n[os.kill(p, 9) for p in pids]\n[os.wait() for p in pids]\n[len(pids), said]"
        count, said = kernel.execute(cell).value
        assert (count, "temporarily unavailable" in said) == (2, True)

    def test_a_cgroup_goes_with_its_kernel(
        self, start: StartKernel, needs_cgroup: Callable[[str], None], launcher: Launcher
    ) -> None:
        needs_cgroup(PIDS)
        kernel = start(process_limit=10)
        (file,) = kernel.life.cgroup.procs_files  # type: ignore[union-attr]
        assert str(kernel.pid) in Path(file).read_text().split()
        kernel.restart()
        assert not Path(file).exists()


def test_a_cgroup_that_a_dead_session_left_is_removed_by_the_next(
    launcher: Launcher, needs_cgroup: Callable[[str], None]
) -> None:
    needs_cgroup(MEMORY)
    dead = subprocess.Popen(["true"])
    start_time = proc.start_time(dead.pid)
    dead.wait()
    parent, mine = find_parent(MEMORY).folder, name_for(1).split("-")
    here = mine[3]
    names = {
        "stale": f"tfkernel-{dead.pid}-{start_time}-{here}-a",
        # Its process may live where it isn't seen from here.
        "of another namespace": f"tfkernel-{dead.pid}-{start_time}-{int(here) + 1}-a",
        "of a living session": name_for(1 << 39),
        "of nobody whom we know": f"tfkernel-{dead.pid}-stale",
    }
    for name in names.values():
        (parent / name).mkdir()
    try:
        launcher.new_cgroup((MEMORY,)).remove()
        assert {what for what, name in names.items() if not (parent / name).exists()} == {"stale"}
    finally:
        for name in names.values():
            with contextlib.suppress(FileNotFoundError):
                (parent / name).rmdir()


class Noting:
    """A cgroup that notes what is asked of it; of one kind it is refused."""

    def __init__(self, refused: str = "") -> None:
        self.refused = refused
        self.asked: list[tuple[str, int]] = []
        self.is_removed = False

    def made(self, controllers: tuple[str, ...]) -> Any:
        self.controllers = controllers
        return self

    def limit_memory(self, limit: int) -> None:
        self._limit(MEMORY, limit)

    def limit_processes(self, limit: int) -> None:
        self._limit(PIDS, limit)

    def _limit(self, kind: str, limit: int) -> None:
        if kind == self.refused:
            raise OSError("refused")
        self.asked.append((kind, limit))

    def remove(self) -> None:
        self.is_removed = True


@pytest.mark.parametrize(
    ("memory", "processes", "asked"),
    [(7, None, [(MEMORY, 7)]), (None, 3, [(PIDS, 3)]), (7, 3, [(MEMORY, 7), (PIDS, 3)])],
)
def test_only_limits_that_were_asked_for_need_a_controller(
    memory: int | None, processes: int | None, asked: list[tuple[str, int]]
) -> None:
    noting = Noting()
    assert limiting(noting.made, memory=memory, processes=processes) is not None
    assert noting.asked == asked
    assert noting.controllers == tuple(kind for kind, _ in asked)
    assert not noting.is_removed


def test_without_a_limit_there_is_none() -> None:
    noting = Noting()
    assert limiting(noting.made, memory=None, processes=None) is None
    assert not hasattr(noting, "controllers")


def test_one_whose_limit_is_refused_is_removed() -> None:
    noting = Noting(refused=PIDS)
    with pytest.raises(OSError, match="refused"):
        limiting(noting.made, memory=7, processes=3)
    assert noting.is_removed
