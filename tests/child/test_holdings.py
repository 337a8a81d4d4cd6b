"""What goes with the supervisor is what it was given, and not what has its name now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_tfkernel._child.holdings import Holdings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("text")
    return folder


def hold(folder: Path) -> Holdings:
    """With the lock by which it is known."""
    holdings = Holdings()
    holdings.hold(str(folder), [os.open(folder, os.O_RDONLY)], contents=True)
    return holdings


def test_a_folder_goes_with_its_contents(folder: Path) -> None:
    hold(folder).remove()
    assert not folder.exists()


def test_another_one_of_its_name_stays(folder: Path) -> None:
    holdings = hold(folder)
    folder.rename(folder.parent / "moved")
    folder.mkdir()
    (folder / "kept").write_text("kept")
    holdings.remove()
    assert (folder / "kept").read_text() == "kept"


def test_one_that_is_gone_harms_nobody(folder: Path) -> None:
    holdings = hold(folder)
    folder.rename(folder.parent / "moved")
    holdings.remove()
    assert (folder.parent / "moved" / "file").exists()


def test_what_is_held_without_its_contents_goes_only_when_it_is_empty(folder: Path) -> None:
    holdings = Holdings()
    empty = folder / "empty"
    empty.mkdir()
    for one in (folder, empty):
        holdings.hold(str(one), [], contents=False)
    holdings.remove()
    assert (folder / "file").exists()
    assert not empty.exists()
