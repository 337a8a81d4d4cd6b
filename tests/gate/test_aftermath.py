"""What is proven to be left by a dead process, and what is only seen."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_tfkernel.gate import aftermath, neighbours
from pytest_tfkernel.gate.aftermath import Dead, DeadProcesses
from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.gate.known import parse
from pytest_tfkernel.model.resources import Kind, Resource

PROCESS = Resource(Kind.PROCESS, "4194305", "7", detail="sleep 61")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No other pytest, and a folder in the place of /dev/shm."""
    shared = tmp_path / "shm"
    shared.mkdir()
    monkeypatch.setattr(neighbours, "are_there", lambda: False)
    monkeypatch.setattr(aftermath, "Ground", lambda: Ground(shared=str(shared)))
    return shared


@pytest.fixture
def look() -> DeadProcesses:
    made = DeadProcesses((), alone=True)
    made.before()
    return made


def of(kind: Kind, found: list[Resource]) -> list[Resource]:
    """Those of one kind: other sessions on the machine may leave segments meanwhile."""
    return [one for one in found if one.kind is kind]


def test_paths_that_it_has_made_and_that_are_there(look: DeadProcesses, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "in it").touch()
    paths = {str(path): Kind.FILE for path in (folder, folder / "in it", tmp_path / "gone", tmp_path / "pymp-12345678")}
    (tmp_path / "pymp-12345678").mkdir()
    proven = of(Kind.FILE, look.after(Dead(paths, {1})).proven)
    # What lies in a folder is told with it, and helpers have theirs.
    assert list(map(str, proven)) == [f"temporary-file {folder} (made by its process, which is dead)"]


def test_processes_that_have_come_since(look: DeadProcesses) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        earlier = Resource(Kind.PROCESS, str(child.pid), "1", detail="cat")
        assert of(Kind.PROCESS, look.after(Dead({}, (), [PROCESS, earlier])).proven) == [PROCESS, earlier]
        look.before()
        helper = Resource(Kind.PROCESS, "4194306", "7", detail="python -c from multiprocessing.resource_tracker import")
        assert of(Kind.PROCESS, look.after(Dead({}, (), [PROCESS, earlier, helper])).proven) == [PROCESS]
        child.kill()
    mine = DeadProcesses(parse(["process:sleep *"]), alone=True)
    mine.before()
    assert of(Kind.PROCESS, mine.after(Dead({}, (), [PROCESS])).proven) == []


@pytest.fixture
def segment() -> Iterator[tuple[int, int]]:
    """Made by a process that is dead: its id, and that one's pid."""
    libc = ctypes.CDLL(None)
    number = libc.shmget(0, 4096, 0o600)
    pid = os.fork()
    if pid == 0:
        made = libc.shmget(os.getppid() << 8 | 0x5A, 4096, 0o1600)
        os._exit(0 if made >= 0 else 1)
    os.waitpid(pid, 0)
    found = libc.shmget(os.getpid() << 8 | 0x5A, 4096, 0o600)
    yield found, pid
    for one in (number, found):
        libc.shmctl(one, 0, None)


def test_segments_are_known_by_their_creator(look: DeadProcesses, segment: tuple[int, int]) -> None:
    number, pid = segment
    remains = look.after(Dead({}, {pid}))
    assert f"shmid {number}" in [one.name for one in remains.proven]
    # What was there before is nobody's.
    look.before()
    assert f"shmid {number}" not in [one.name for one in look.after(Dead({}, {pid})).proven]


@pytest.mark.parametrize("why_not", ["", "workers", "neighbours"])
def test_shared_memory_of_somebody_is_proven_only_where_nobody_else_may_have_made_it(
    alone: Path, why_not: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = DeadProcesses((), alone=why_not != "workers")
    monkeypatch.setattr(neighbours, "are_there", lambda: why_not == "neighbours")
    look.before()
    (alone / "made").touch()
    remains = look.after(Dead({}, {1}))
    found, other = (remains.strays, remains.proven) if why_not else (remains.proven, remains.strays)
    found, other = of(Kind.SHARED_MEMORY, found), of(Kind.SHARED_MEMORY, other)
    assert [one.name for one in found] == [str(alone / "made")]
    assert other == []
    (alone / "made").unlink()
    assert not look.is_left(found[0])


def test_what_came_between_two_looks_is_told_to_whoever_asks(alone: Path, look: DeadProcesses) -> None:
    (alone / "made").touch()
    assert [one.name for one in of(Kind.SHARED_MEMORY, look.before())] == [str(alone / "made")]
    assert of(Kind.SHARED_MEMORY, look.before()) == []
