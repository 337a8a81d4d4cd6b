from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_tfkernel.gpu_report.folder import Folder
from pytest_tfkernel.gpu_report.writing import ReportError, write
from pytest_tfkernel.model.resources import printable


def refused(path: Path) -> str:
    with pytest.raises(ReportError) as raised:
        Folder(path)
    return printable(str(raised.value))


def test_is_made_where_it_is_not_there(tmp_path: Path) -> None:
    with Folder(tmp_path / "new") as folder:
        assert folder.path.is_dir()
        assert not folder.index.exists()


def test_is_the_same_whatever_the_working_folder_is_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Folder(Path("new")) as folder:
        assert folder.path == tmp_path / "new"


def test_cannot_be_just_any_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert "is not a folder" in refused(tmp_path / "file")
    assert "is below a file" in refused(tmp_path / "file/new")
    assert "is not a folder" in refused(tmp_path / "dangling")
    assert f"there is no folder {tmp_path}/a" in refused(tmp_path / "a/b")
    assert "a name that no folder can have" in refused(tmp_path / "a\0b")
    assert "can't be used: File name too long" in refused(tmp_path / ("a" * 300))
    assert "can't be" in refused(Path("/proc/report"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_cannot_be_one_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "Permission denied" in refused(tmp_path / "closed/new")


@pytest.mark.parametrize("name", ["train.py", ".git", "run.json", "conftest.py", "a\nb\udcff"])
def test_files_of_others_are_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("theirs")
    assert "has files that are not from a report" in refused(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_only_some_files_of_others_are_named(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.txt").touch()
    assert "(0.txt, 1.txt, 2.txt and 6 more)" in refused(tmp_path)


def test_what_a_killed_command_left_of_its_first_index_is_no_file_of_others(tmp_path: Path) -> None:
    (tmp_path / "index.json.123").touch()
    Folder(tmp_path).close()


def test_files_beside_an_index_are_no_matter(tmp_path: Path) -> None:
    for name in ("index.json", "notes.txt"):
        (tmp_path / name).touch()
    Folder(tmp_path).close()


def test_two_at_once_cannot_have_it(tmp_path: Path) -> None:
    with Folder(tmp_path / "new"):
        assert "is being written by another gpu-report" in refused(tmp_path / "new")
    Folder(tmp_path / "new").close()


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    write(path, {"a": 1})
    before = path.read_bytes()
    (tmp_path / f"index.json.{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(ReportError, match=r"index.json can't be written: No space left on device; make room"):
        write(path, {"a": 2})
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["index.json"]


def test_a_file_is_replaced_and_never_written_over(tmp_path: Path) -> None:
    path, older = tmp_path / "index.json", tmp_path / "older"
    write(path, {"a": 1})
    older.hardlink_to(path)
    before = older.read_bytes()
    write(path, {"a": 2})
    assert older.read_bytes() == before != path.read_bytes()
