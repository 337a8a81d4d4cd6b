"""What environments are to have."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from pathlib import Path

import pytest

from pytest_tfkernel.upgrade.recipes import Recipe
from pytest_tfkernel.upgrade.requirements import Installs

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "plugin.whl").write_text("1")
    (tmp_path / "project/.git").mkdir(parents=True)
    (tmp_path / "project/code.py").write_text("1")
    installs = Installs((str(tmp_path / "project"),), (tmp_path / "project",))
    return Recipe(("tensorflow-cpu==2.20.*",), installs, "/usr/bin/python3", tmp_path / "plugin.whl")


def test_the_same_has_the_same_name_and_anything_else_another(recipe: Recipe) -> None:
    assert recipe.name.startswith("tensorflow-cpu-2.20-")
    assert recipe.name == dataclasses.replace(recipe, plugin=Path("other.whl"), imported="tensorflow").name
    others = [
        dataclasses.replace(recipe, requirements=("tensorflow-cpu==2.20",)),
        dataclasses.replace(recipe, requirements=(*recipe.requirements, "numpy")),
        dataclasses.replace(recipe, installs=Installs()),
        dataclasses.replace(recipe, installs=Installs((*recipe.installs.words, "numpy"))),
        dataclasses.replace(recipe, python="/usr/bin/python4"),
    ]
    assert len({recipe.name, *(one.name for one in others)}) == 1 + len(others)


def test_a_name_is_one_of_a_folder() -> None:
    name = Recipe(("git+https://x/y@z", "a" * 100), Installs(), "python", Path("p")).name
    assert "/" not in name
    assert len(name) < 60


def test_all_of_it_is_one_command(recipe: Recipe) -> None:
    assert recipe.words == (recipe.requirements[0], str(recipe.plugin), *recipe.installs.words)


def test_what_it_is_made_of_has_a_state(recipe: Recipe, tmp_path: Path) -> None:
    before = recipe.marker(NOW)
    assert before.made == "2026-01-02T03:04:05+00:00"
    # What version control and Python keep there is no change.
    (tmp_path / "project/.git/HEAD").write_text("x")
    (tmp_path / "project/code.pyc").write_text("x")
    assert recipe.marker(NOW) == before
    (tmp_path / "project/code.py").write_text("22")
    changed = recipe.marker(NOW)
    assert changed.sources != before.sources
    os.utime(tmp_path / "project/code.py", ns=(1, 1))
    assert recipe.marker(NOW).sources != changed.sources
    (tmp_path / "plugin.whl").write_text("2")
    assert recipe.marker(NOW).plugin != before.plugin
