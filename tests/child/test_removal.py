"""Folders of ours are removed whatever is in them, and nothing beyond them is."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts import NOBODY
from pytest_tfkernel._child.removal import remove


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def deepen(folder: Path, levels: int) -> None:
    """Folders within each other, deeper than any path can be written."""
    inner = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("a" * 40, dir_fd=inner)
        inner, outer = os.open("a" * 40, os.O_RDONLY, dir_fd=inner), inner
        os.close(outer)
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=inner))
    os.close(inner)


def test_a_folder_goes_with_all_that_is_in_it(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_text("text")
    os.mkfifo(folder / "a" / "pipe")
    assert remove(str(folder))
    assert not folder.exists()


def test_no_depth_is_too_much(folder: Path) -> None:
    deepen(folder, 1500)
    assert remove(str(folder))
    assert not folder.exists()


def test_links_are_removed_and_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other" / "kept").mkdir(parents=True)
    (folder / "inner").mkdir()
    for place in (folder / "link", folder / "inner" / "link"):
        place.symlink_to(tmp_path / "other")
    assert remove(str(folder))
    assert (tmp_path / "other" / "kept").is_dir()


def test_a_link_in_place_of_the_folder_stays(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert not remove(str(tmp_path / "link"))
    assert folder.is_dir()


def test_what_is_gone_is_removed(tmp_path: Path) -> None:
    assert remove(str(tmp_path / "none"))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    assert not remove(str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "kept"


@pytest.fixture
def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user, and mount")


def as_nobody(act: Callable[[], bool]) -> bool:
    """What a fork says that is another user."""
    pid = os.fork()
    if pid == 0:
        code = 2
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            code = 0 if act() else 1
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("mode", [0o500, 0o000, 0o100])
def test_folders_that_may_not_be_written_to_go_too(needs_root: None, mode: int) -> None:
    # Below pytest's own folder nobody else may look.
    with tempfile.TemporaryDirectory(dir="/tmp") as base:
        Path(base).chmod(0o777)
        folder = Path(base) / "folder"

        def make_and_remove() -> bool:
            places = [folder, folder / "closed", folder / "closed" / "inner", folder / "closed" / "inner" / "most"]
            for place in places:
                place.mkdir()
                (place / "file").write_text("text")
            for place in reversed(places):
                place.chmod(mode)
            return remove(str(folder))

        assert as_nobody(make_and_remove)
        assert not folder.exists()


def test_a_folder_of_somebody_else_in_its_place_stays(needs_root: None, folder: Path) -> None:
    (folder / "theirs").mkdir()
    os.chown(folder, NOBODY, NOBODY)
    assert not remove(str(folder))
    assert (folder / "theirs").is_dir()


def unmount_below(folder: Path) -> None:
    """Wherever what is mounted has been moved."""
    with Path("/proc/self/mounts").open() as lines:
        there = [line.split()[1] for line in lines if line.split()[1].startswith(str(folder))]
    for place in reversed(there):
        subprocess.run(["umount", place], check=True)


@pytest.fixture
def mounted(needs_root: None, folder: Path, tmp_path: Path) -> Iterator[list[Path]]:
    """Places in the folder at which something else is mounted; each has a file `kept`."""
    other = tmp_path / "other"
    other.mkdir()
    places = [folder / "bound", folder / "deep" / "bound", folder / "memory"]
    commands = [["--bind", str(other)], ["--bind", str(other)], ["-t", "tmpfs", "none"]]
    done: list[Path] = []
    try:
        for place, command in zip(places, commands, strict=True):
            place.mkdir(parents=True)
            if subprocess.run(["mount", *command, str(place)], check=False, capture_output=True).returncode:
                pytest.skip("nothing can be mounted here")
            done.append(place)
            (place / "kept").write_text("kept")
        yield places
    finally:
        unmount_below(folder)


def test_what_is_mounted_in_it_stays_and_the_rest_goes(mounted: list[Path], folder: Path, tmp_path: Path) -> None:
    (folder / "file").write_text("text")
    (folder / "deep" / "file").write_text("text")
    assert not remove(str(folder))
    assert (tmp_path / "other" / "kept").read_text() == "kept"
    kept = sorted(folder.rglob("kept"))
    assert len(kept) == 3
    assert {path.name for path in folder.rglob("*")} - {path.parent.name for path in kept} - {
        path.parent.parent.name for path in kept
    } == {"kept"}


@pytest.fixture
def mount(needs_root: None, folder: Path) -> Iterator[Callable[[Path, Path], None]]:
    """Mounts a folder on another one."""

    def bind(shown: Path, place: Path) -> None:
        if subprocess.run(["mount", "--bind", str(shown), str(place)], check=False, capture_output=True).returncode:
            pytest.skip("nothing can be mounted here")

    yield bind
    unmount_below(folder)


def test_what_is_mounted_on_it_stays(mount: Callable[[Path, Path], None], folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "inner").mkdir(parents=True)
    (other / "inner" / "kept").write_text("kept")
    mount(other, folder)
    assert not remove(str(folder))
    assert (other / "inner" / "kept").read_text() == "kept"


@pytest.mark.parametrize("place", ["bound", "deep/bound"])
@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_what_is_mounted_in_it_keeps_its_mode(
    mount: Callable[[Path, Path], None], folder: Path, tmp_path: Path, place: str, mode: int
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (folder / place).mkdir(parents=True)
    mount(other, folder / place)
    other.chmod(mode)
    assert not remove(str(folder))
    assert other.stat().st_mode & 0o777 == mode


def test_a_folder_below_a_link_is_removed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert remove(str(tmp_path / "link" / folder.name))
    assert not folder.exists()


def test_a_relative_path_is_one_of_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert remove(folder.name)
    assert not folder.exists()
