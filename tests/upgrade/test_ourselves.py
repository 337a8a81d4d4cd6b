"""The plugin as a wheel."""

from __future__ import annotations

import importlib.metadata
import zipfile
from pathlib import Path

import pytest

import pytest_tfkernel
from pytest_tfkernel.upgrade import ourselves
from pytest_tfkernel.upgrade.errors import UpgradeError

PACKAGE = Path(pytest_tfkernel.__file__).parent


def test_it_has_what_runs_here(tmp_path: Path) -> None:
    path = ourselves.write_wheel(tmp_path)
    version = importlib.metadata.version("pytest-tfkernel")
    assert path.name == f"pytest_tfkernel-{version}-py3-none-any.whl"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    with zipfile.ZipFile(path) as file:
        names = set(file.namelist())
        assert file.read("pytest_tfkernel/public.py") == (PACKAGE / "public.py").read_bytes()
        here = {f"pytest_tfkernel/{one.relative_to(PACKAGE).as_posix()}" for one in PACKAGE.rglob("*.py")}
        assert here <= names
        # Also what isn't Python.
        assert "pytest_tfkernel/report/page/page.css" in names
        assert not [name for name in names if "__pycache__" in name]
        info = f"pytest_tfkernel-{version}.dist-info"
        assert f"Version: {version}\n" in file.read(f"{info}/METADATA").decode()
        assert "[pytest11]" in file.read(f"{info}/entry_points.txt").decode()
        assert len(file.read(f"{info}/RECORD").decode().splitlines()) == len(names)


def test_the_same_files_are_the_same_wheel(tmp_path: Path) -> None:
    first = ourselves.write_wheel(tmp_path).read_bytes()
    assert ourselves.write_wheel(tmp_path).read_bytes() == first


def test_a_checkout_that_is_not_installed_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> importlib.metadata.Distribution:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(UpgradeError, match="isn't installed"):
        ourselves.write_wheel(tmp_path)


def test_where_it_cannot_be_written_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(UpgradeError, match="can't be written"):
        ourselves.write_wheel(tmp_path / "nowhere")
