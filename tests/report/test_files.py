"""Files are whole, or as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.report.files import same, write


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


def test_links_are_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    (tmp_path / "b").symlink_to("a")
    assert same(tmp_path / "a", tmp_path / "b")
    assert same(tmp_path / "none", tmp_path / "none")
    assert not same(tmp_path / "none", tmp_path / "other")
