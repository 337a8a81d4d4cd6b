"""What is made before a process is, and that nothing of it stays where there is none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import handles
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.processes.cgroups import MEMORY, Cgroup

StartKernel = Callable[..., Kernel]
PROVISIONERS = ("forkserver", "subprocess", "multiprocess-spawn", "jupyter")


@contextlib.contextmanager
def nothing_stays(launcher: Launcher) -> Iterator[None]:
    """Neither a descriptor of this process nor a folder in the session's own."""
    before = set(launcher.temporary.iterdir())
    with handles.none_stays():
        yield
    assert set(launcher.temporary.iterdir()) == before


@pytest.fixture
def gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The working folder is."""
    before = Path.cwd()
    folder = tmp_path / "gone"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    yield
    os.chdir(before)


@pytest.mark.parametrize("provisioner", PROVISIONERS)
@pytest.mark.parametrize("limit", [{}, {"process_limit": 500}], ids=["", "a cgroup"])
def test_a_working_folder_that_is_gone_is_one_line_and_leaves_nothing(
    launcher: Launcher, provisioner: str, limit: dict[str, int], request: pytest.FixtureRequest, start: StartKernel
) -> None:
    if provisioner == "jupyter":
        pytest.importorskip("jupyter_client")
    # What the provisioner keeps for all its kernels is there.
    start(provisioner=provisioner).shutdown(now=True)
    request.getfixturevalue("gone")
    words = "^pytest's working folder was removed: change into one that exists"
    with nothing_stays(launcher):
        for _ in range(2):
            with pytest.raises(KernelStartError, match=words):
                start(provisioner=provisioner, **limit)


@pytest.mark.usefixtures("gone")
@pytest.mark.parametrize("provisioner", PROVISIONERS[:2])
def test_a_folder_that_is_named_is_there_all_the_same(start: StartKernel, provisioner: str, tmp_path: Path) -> None:
    kernel = start(provisioner=provisioner, folder=str(tmp_path))
    assert kernel.execute("import os; os.getcwd()").value == str(tmp_path)


def test_a_limit_that_can_not_be_set_leaves_no_cgroup(
    launcher: Launcher, start: StartKernel, monkeypatch: pytest.MonkeyPatch, needs_cgroup: Callable[[str], None]
) -> None:
    needs_cgroup(MEMORY)
    made: list[Path] = []

    def limit_memory(cgroup: Cgroup, _: int) -> None:
        made.extend(Path(file).parent for file in cgroup.procs_files)
        raise PermissionError(13, "Permission denied")

    start().shutdown(now=True)
    monkeypatch.setattr(Cgroup, "limit_memory", limit_memory)
    with nothing_stays(launcher), pytest.raises(KernelStartError, match="need a cgroup, and none can be made"):
        start(memory_limit=1 << 30)
    assert made
    assert not any(folder.exists() for folder in made)
