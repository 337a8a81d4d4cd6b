"""A kernel and its manager talk over Unix sockets in a folder of their own, and leave nothing of that."""

from __future__ import annotations

import os
import re
import signal
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import handles
from hosted_kernels import JUPYTER, host_pid
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec

StartKernel = Callable[..., Kernel]
_KILLS = 3


def _listening(pid: int) -> list[str]:
    """The addresses at which a process waits for connections by TCP, or receives by UDP."""
    found = psutil.Process(pid).net_connections(kind="inet")
    return [one.laddr.ip for one in found if one.status == psutil.CONN_LISTEN or one.type.name == "SOCK_DGRAM"]


def _sockets(folder: Path) -> list[str]:
    lines = Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()
    return sorted({found[0] for line in lines if (found := re.findall(rf"{re.escape(str(folder))}\S*", line))})


def test_no_port_is_open_but_the_kernels_own_pipe(shared: Kernel) -> None:
    assert _listening(host_pid(shared)) == []
    # ipykernel's iostream; nobody else can send there, since it asks for a random word.
    assert _listening(shared.pid) in ([], ["127.0.0.1"])


def test_what_is_on_disk_is_for_its_owner_only(shared: Kernel) -> None:
    folder = shared.life.temporary.parent
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "connection.json").stat().st_mode) == 0o600
    sockets = _sockets(folder)
    assert len(sockets) >= 5
    assert all(Path(one).parent == folder for one in sockets)


def test_after_many_deaths_there_is_as_much_as_after_one(start_hosted: StartKernel, launcher: Launcher) -> None:
    def count(kernel: Kernel) -> tuple[int, list[str]]:
        folder = kernel.life.temporary.parent
        files = [path.relative_to(folder).parts[0] for path in folder.rglob("*") if path != kernel.life.temporary]
        return len(_sockets(folder)), sorted({name for name in files if name != "2"})

    kernel = start_hosted(restart_poll=30.0)
    counts, descriptors = [], []
    for _ in range(_KILLS):
        kernel.inject("sigkill")
        kernel.restart()
        counts.append(count(kernel))
        descriptors.append(handles.opened())
    assert len({sockets for sockets, _ in counts}) == 1
    handles.do_not_grow(descriptors[0])
    assert len({tuple(name for name in files if not name.isdigit()) for _, files in counts}) == 1
    # Nor does the host keep anything.
    assert len(psutil.Process(host_pid(kernel)).children()) == 1
    folder = kernel.life.temporary.parent
    kernel.shutdown()
    assert not folder.exists()
    assert _sockets(folder) == []


def test_a_folder_for_temporary_files_whose_path_is_too_long_for_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launcher: Launcher
) -> None:
    JUPYTER.python(launcher)
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with Launcher() as own:
        kernel = own.start(KernelSpec(provisioner="jupyter", environment=JUPYTER.environment))
        folder = kernel.life.temporary.parent
        assert len(str(folder)) < 90
        # ipykernel adds the sticky bit.
        assert folder.stat().st_mode & 0o777 == 0o700
        assert kernel.execute("1").value == 1
        kernel.shutdown()
        assert not folder.exists()
    assert list(long.iterdir()) == []


def test_a_folder_of_that_kind_goes_with_a_session_that_ends_in_a_hurry(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    launcher: Launcher,
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    JUPYTER.python(launcher)
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with Launcher() as own:
        kernel = own.start(KernelSpec(provisioner="jupyter", environment=JUPYTER.environment))
        folder, pid = kernel.life.temporary.parent, own.supervisor.pid
        os.kill(pid, signal.SIGTERM)
        eventually(lambda: not folder.exists())
