from __future__ import annotations

import dataclasses
import getpass
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.doctor.findings import Listing, Occupant, Role
from pytest_tfkernel.doctor.site import Site
from pytest_tfkernel.doctor.who import occupancy
from pytest_tfkernel.model.gpus import Gpu, GpuProcess, Reading

NOBODY = 1 << 23


def gpu(uuid: str, *pids: int, parent: str = "") -> Gpu:
    return Gpu(uuid, "card", 100, 0, tuple(GpuProcess(pid, 7) for pid in pids), parent=parent)


def found(site: Site, *gpus: Gpu) -> dict[int, Occupant]:
    return {one.pid: one for one in occupancy(Reading(gpus), site).occupants}


def fake(proc: Path, pid: int, name: str, cgroup: str = "0::/\n") -> None:
    """A process in a /proc of our own."""
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    folder.joinpath("stat").write_text(f"{pid} ({name}) S 1 1 1 {'0 ' * 15}1 0 5 0 0")
    folder.joinpath("status").write_text(f"Name:\t{name}\nTgid:\t{pid}\nUid:\t4000000000\t0\t0\t0\n")
    folder.joinpath("cgroup").write_text(cgroup)


def test_a_process_is_told_with_all_that_is_known_of_it() -> None:
    me = os.getpid()
    one = found(Site(), gpu("GPU-a", me), gpu("GPU-b", me))[me]
    assert (one.known, one.user, one.role) == (True, getpass.getuser(), Role.OURS)
    assert one.command == proc.command_line(me)
    assert one.age is not None
    assert one.listings == (Listing("GPU-a", 7, "compute"), Listing("GPU-b", 7, "compute"))


@pytest.mark.parametrize(
    ("namespace", "refusal", "absence"),
    [
        ("pid:[4026532000]", None, "not visible here (another pid namespace?)"),
        ("pid:[4026531836]", ProcessLookupError, "has ended, but is still listed: a process that it has started may"),
        ("pid:[4026531836]", PermissionError, "not visible here (/proc is mounted with hidepid): run as root"),
        ("pid:[4026531836]", None, "not visible here"),
    ],
)
def test_one_that_is_not_in_proc_is_a_number_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespace: str, refusal: type[OSError] | None, absence: str
) -> None:
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to(namespace)

    def kill(pid: int, number: int) -> None:
        assert (pid, number) == (NOBODY, 0)
        if refusal is not None:
            raise refusal

    monkeypatch.setattr(os, "kill", kill)
    one = found(Site(proc=tmp_path), gpu("GPU-a", NOBODY))[NOBODY]
    assert one.absence.startswith(absence)
    assert dataclasses.replace(one, absence="") == Occupant(
        NOBODY, known=False, listings=(Listing("GPU-a", 7, "compute"),)
    )


def test_children_are_ours() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        role = found(Site(), gpu("GPU-a", child.pid))[child.pid].role
        child.kill()
    assert role is Role.OURS


def test_parts_are_not_listed_twice() -> None:
    one = found(Site(), gpu("GPU-a", NOBODY), gpu("MIG-a", NOBODY, parent="GPU-a"))[NOBODY]
    assert [listing.gpu for listing in one.listings] == ["MIG-a"]


def test_open_devices_are_those_of_the_folder(tmp_path: Path) -> None:
    site = Site(devices=tmp_path)
    with (tmp_path / "nvidia3").open("w"), (tmp_path / "nvidiactl").open("w"), (tmp_path / "null").open("w"):
        one = found(site)[os.getpid()]
    assert one.devices == (str(tmp_path / "nvidia3"), str(tmp_path / "nvidiactl"))
    assert [site.card(path) for path in one.devices] == [3, None]
    assert found(site) == {}


def test_a_dead_first_thread_leaves_what_the_others_hold(
    tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
) -> None:
    code = """
import ctypes, sys, threading
held = open(sys.argv[1], "w")
threading.Thread(target=sys.stdin.read).start()
print(flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "nvidia0")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        state = Path(f"/proc/{child.pid}/stat")
        eventually(lambda: ") Z " in state.read_text())
        held = found(Site(devices=tmp_path))
        child.kill()
    assert child.pid in held


@pytest.mark.parametrize(
    ("name", "pids", "role"),
    [
        ("nvidia-persiste", (), Role.DAEMON),
        ("dcgm-exporter", (), Role.DAEMON),
        ("nvidia-persiste", (12,), Role.USER),
        ("python3", (), Role.USER),
    ],
)
def test_a_daemon_is_known_by_its_name_and_has_no_context(
    tmp_path: Path, name: str, pids: tuple[int, ...], role: Role
) -> None:
    fake(tmp_path, 12, name)
    (tmp_path / "12/fd/5").symlink_to("/dev/nvidia0")
    assert found(Site(proc=tmp_path), gpu("GPU-a", *pids))[12].role is role


def test_a_container_and_a_user_without_a_name_are_told(tmp_path: Path) -> None:
    fake(tmp_path, 12, "python3", f"0::/system.slice/docker-{'ab' * 32}.scope\n")
    one = found(Site(proc=tmp_path), gpu("GPU-a", 12))[12]
    assert (one.container, one.user) == ("ab" * 32, "4000000000")


def test_what_cannot_be_read_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for pid in (12, 13, 14):
        fake(tmp_path, pid, "python3")
    (tmp_path / "13/fd/5").symlink_to("/dev/nvidia0")
    listdir = os.listdir

    def refuse(folder: str | Path) -> list[str]:
        if str(folder).startswith(str(tmp_path / "12")):
            raise PermissionError(13, "Permission denied")
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", refuse)
    who = occupancy(Reading(), Site(proc=tmp_path))
    assert (who.unreadable, [one.pid for one in who.occupants]) == (1, [13])
