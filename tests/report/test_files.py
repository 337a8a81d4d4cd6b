"""Files are whole, or as they were."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_tfkernel.report.files import is_ordinary, same, write


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write(path, "one")
    with pytest.raises(UnicodeEncodeError):
        write(path, "two\ud800")
    assert path.read_text() == "one"
    write(path, "three")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("page.html", "three")]


def test_a_place_where_none_can_be_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "none" / "page.html", "")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write(tmp_path / "folder", "")
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_what_is_no_ordinary_file_stays_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    assert [is_ordinary(tmp_path / name) for name in ("pipe", "link", "none")] == [False, False, True]
    for name in ("pipe", "link"):
        with pytest.raises(OSError, match="it is no ordinary file"):
            write(tmp_path / name, "text")
    assert (tmp_path / "pipe").is_fifo()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/file")
    write(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert [(one.name, one.read_text()) for one in (tmp_path / "there").iterdir()] == [("file", "text")]


def test_links_are_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    (tmp_path / "b").symlink_to("a")
    assert same(tmp_path / "a", tmp_path / "b")
    assert same(tmp_path / "none", tmp_path / "none")
    assert not same(tmp_path / "none", tmp_path / "other")
