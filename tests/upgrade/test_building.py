"""venv and pip, with small wheels in a folder."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import pytest

import wheels
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.upgrade.building import Builder, BuiltEnvironment, InstallError, tensorflows
from pytest_tfkernel.upgrade.commands import Commands
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.installing import Pip
from pytest_tfkernel.upgrade.progress import Progress
from pytest_tfkernel.upgrade.recipes import Recipe
from pytest_tfkernel.upgrade.requirements import Installs


def test_pip_puts_all_of_it_there_or_says_why_not(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    # A module of the user's, where the user is.
    monkeypatch.chdir(tmp_path)
    for name in ("logging", "typing"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError")
    # What is found by it isn't there; and what is said to be installed must be there.
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    for name in ("TARGET", "PREFIX", "ROOT"):
        monkeypatch.setenv(f"PIP_{name}", str(tmp_path / "elsewhere"))
    for name, text in {"USER": "1", "DRY_RUN": "1", "NO_DEPS": "1", "QUIET": "3", "PYTHON": sys.executable}.items():
        monkeypatch.setenv(f"PIP_{name}", text)
    for version in ("2.20.0", "2.21.0"):
        wheels.build(tmp_path, "tensorflow-cpu", version, {"tensorflow/__init__.py": f"version = {version!r}"})
    wheels.build(tmp_path, "tensorflow", "2.18.0", {"tensorflow/__init__.py": "other = 1"})
    plugin = wheels.build(tmp_path, "plugin", "1.0", {"plugin.py": "value = 1"})
    said: list[str] = []
    builder = Builder(Pip(), Commands(launcher), Progress(said.append, watched=False))
    found = BuiltEnvironment(tmp_path / "env", tmp_path / "env/bin/python")

    def recipe(*words: str, imported: str = "") -> Recipe:
        return Recipe(("tensorflow-cpu==2.21.*",), Installs(words), sys.executable, plugin, imported)

    builder.build(found, recipe(imported="tensorflow"), "it")
    packages = next(found.folder.glob("lib/python*/site-packages"))
    assert (packages / "tensorflow/__init__.py").read_text() == "version = '2.21.0'"
    assert tensorflows(found.folder) == ["tensorflow_cpu 2.21.0"]
    # However long it takes.
    steps = dict.fromkeys(line.strip().partition(", ")[0] for line in said)
    assert [*steps] == ["upgrade: it: installing with pip", "upgrade: it: importing tensorflow"]
    # The same version with other files is what was asked for.
    wheels.build(tmp_path, "plugin", "1.0", {"plugin.py": "value = 2"})
    builder.renew(found, recipe(), "it", [str(plugin)])
    assert (packages / "plugin.py").read_text() == "value = 2"
    file = tmp_path / "requirements.txt"
    file.write_text("tensorflow-cpu==2.20.0\n")
    with pytest.raises(InstallError) as refused:
        builder.renew(found, recipe("-r", str(file)), "it", [])
    assert "it can't be installed: Cannot install " in str(refused.value)
    assert f"ours is tensorflow-cpu==2.21.*, and theirs tensorflow-cpu==2.20.0 ({file}, line 1)" in str(refused.value)
    with pytest.raises(UpgradeError, match=r"tensorflow 2\.18\.0 and tensorflow_cpu 2\.21\.0 are both the module"):
        builder.renew(found, recipe("tensorflow"), "it", [])


def test_what_cannot_be_imported_is_told(launcher: Launcher, tmp_path: Path) -> None:
    class Linked(Pip):
        """An environment that is a link, and into which nothing is installed."""

        def create(self, python: str, folder: Path) -> list[str]:
            packages = folder / "lib/python3/site-packages"
            return ["/bin/mkdir", "-p", str(folder / "bin"), str(packages / "plugin-1.dist-info")]

        def install(self, python: Path, words: object) -> list[str]:
            return ["/bin/ln", "-sf", sys.executable, str(python)]

    builder = Builder(Linked(), Commands(launcher), Progress(lambda _: None, watched=False))
    found = BuiltEnvironment(tmp_path / "env", tmp_path / "env/bin/python")
    recipe = Recipe(("x",), Installs(), sys.executable, tmp_path / "plugin-1-any.whl", "nothing_of_this_name")
    with pytest.raises(UpgradeError, match="it: nothing_of_this_name can't be imported there: ModuleNotFoundError: No"):
        builder.build(found, recipe, "it")
    # A setting of pip's that nobody has thought of.
    with pytest.raises(UpgradeError, match=r"it: what is said to be installed isn't in .*/env: a setting has pip or"):
        builder.build(found, dataclasses.replace(recipe, plugin=tmp_path / "plugin-2-any.whl"), "it")
