"""The folder of upgrades."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.folder import UpgradeFolder


def test_it_is_made_and_hidden_from_version_control(tmp_path: Path) -> None:
    with UpgradeFolder(tmp_path / "here") as folder:
        assert (folder.path / ".gitignore").read_text() == "*\n"
        assert folder.environments.is_dir()
        assert folder.runs.is_dir()


def test_one_at_a_time_works_in_it(tmp_path: Path) -> None:
    with UpgradeFolder(tmp_path / "here"), pytest.raises(UpgradeError, match="another upgrade works in "):
        UpgradeFolder(tmp_path / "here")
    UpgradeFolder(tmp_path / "here").close()


def test_what_is_there_stays(tmp_path: Path) -> None:
    with UpgradeFolder(tmp_path / "here") as folder:
        (folder.environments / "one").mkdir()
        (folder.path / "mine.txt").touch()
    with UpgradeFolder(tmp_path / "here") as folder:
        assert (folder.environments / "one").is_dir()


def test_places_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/train.py").touch()
    for name in ("file", "theirs", "no/such/folder", "a\0b", "file/below"):
        with pytest.raises(UpgradeError):
            UpgradeFolder(tmp_path / name)
    assert sorted(path.name for path in (tmp_path / "theirs").iterdir()) == ["train.py"]
