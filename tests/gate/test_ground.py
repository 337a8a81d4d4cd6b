"""What pytest's own process holds, and what exists by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.model.resources import Kind


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder in place of /dev/shm: other programs use that one."""
    (tmp_path / "shm").mkdir()
    return tmp_path / "shm"


@pytest.fixture
def ground(shared: Path) -> Ground:
    return Ground(shared=str(shared))


def test_newcomers_are_told_once(ground: Ground) -> None:
    process = subprocess.Popen(["sleep", "60"])
    try:
        assert process.pid in ground.newcomers()[0]
        assert process.pid not in ground.newcomers()[0]
    finally:
        process.kill()
        process.wait()


def test_pid_that_is_used_again_is_a_newcomer(ground: Ground) -> None:
    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "60"])

    first = start()
    assert first.pid in ground.newcomers()[0]
    first.kill()
    first.wait()
    try:
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(first.pid - 1), encoding="ascii")
    except OSError:
        pytest.skip("nobody may choose the next pid here")
    second = start()
    try:
        if second.pid != first.pid:
            pytest.skip("another program was faster")
        assert second.pid in ground.newcomers()[0]
    finally:
        second.kill()
        second.wait()


def test_shared_memory_is_mine_where_it_is_open_or_mapped_and_a_stray_elsewhere(ground: Ground, shared: Path) -> None:
    import mmap

    (shared / "stray").touch()
    (shared / "mapped").write_bytes(b"x")
    (shared / "sem.one").write_bytes(b"x")
    with (shared / "open").open("w"), (shared / "mapped").open("r+b") as one, (shared / "sem.one").open("r+b") as two:
        first, second = mmap.mmap(one.fileno(), 1), mmap.mmap(two.fileno(), 1)
        fresh = ground.sweep()
    assert sorted((thing.kind.value, Path(thing.name).name) for thing in fresh.mine) == [
        ("semaphore", "sem.one"),
        ("shared-memory", "mapped"),
        ("shared-memory", "open"),
    ]
    assert [Path(thing.name).name for thing in fresh.strays] == ["stray"]
    first.close()
    second.close()


def test_what_is_claimed_is_neither(ground: Ground, shared: Path) -> None:
    (shared / "one").touch()
    fresh = ground.sweep({str(shared / "one")})
    assert (fresh.mine, fresh.strays) == ([], [])


def test_shared_memory_of_other_users_is_not_ours(ground: Ground, shared: Path) -> None:
    (shared / "one").touch()
    try:
        os.chown(shared / "one", 12345, -1)
    except PermissionError:
        pytest.skip("only root can give files away")
    assert ground.sweep().strays == []


def test_segment_of_ours_and_of_a_dead_child(ground: Ground) -> None:
    make = "import ctypes; print(ctypes.CDLL(None).shmget(0, 4096, 0o1600))"
    child = subprocess.run([sys.executable, "-c", make], capture_output=True, text=True, check=True)
    import ctypes

    libc = ctypes.CDLL(None)
    mine, theirs = libc.shmget(0, 4096, 0o1600), int(child.stdout)
    try:
        fresh = ground.sweep()
        assert f"shmid {mine}" in [thing.name for thing in fresh.mine]
        assert f"shmid {theirs}" in [thing.name for thing in fresh.strays]
    finally:
        libc.shmctl(mine, 0, None)
        libc.shmctl(theirs, 0, None)


class TestWhatCantBeRead:
    def test_is_noted_once_with_its_reason(self, tmp_path: Path) -> None:
        ground = Ground(root=str(tmp_path / "none"), shared=str(tmp_path / "nowhere"))
        for _ in range(3):
            ground.sweep()
            ground.newcomers()
        assert {Path(blind.place).name: blind.reason for blind in ground.blind} == {
            "none": "No such file or directory",
            "fd": "No such file or directory",
            "nowhere": "No such file or directory",
        }

    def test_nonsense_is_passed_over(self, tmp_path: Path, shared: Path) -> None:
        (tmp_path / "sysvipc").mkdir()
        (tmp_path / "self/fd").mkdir(parents=True)
        (tmp_path / "sysvipc/shm").write_bytes(b"key shmid cpid\n\xff\xff\n1 2\nx y z\n\n")
        (tmp_path / "locks").write_bytes(b"1: POSIX\n\xff \n" + b"1: FLOCK ADVISORY WRITE none 00:01:2 0 EOF\n")
        (tmp_path / "self/fd/1").symlink_to("socket:[")
        ground = Ground(root=str(tmp_path), shared=str(shared))
        assert [key for key in ground.present if key[0] is not Kind.SOCKET] == []
