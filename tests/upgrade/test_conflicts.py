"""Whose requirements don't go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.upgrade.conflicts import whose
from pytest_tfkernel.upgrade.recipes import Recipe
from pytest_tfkernel.upgrade.requirements import Installs

OURS = "tensorflow-cpu==2.21.*"


def recipe(*words: str) -> Recipe:
    return Recipe((OURS,), Installs(words), "python", Path("plugin.whl"))


def test_a_line_of_a_file_is_found(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("numpy\n# TensorFlow\ntensorflow-cpu == 2.20.0  # as in production\n")
    said = f"The user requested {OURS}; The user requested tensorflow-cpu==2.20.0"
    expected = f"; ours is {OURS}, and theirs tensorflow-cpu == 2.20.0 ({file}, line 3)"
    assert whose(said, recipe("-r", str(file))) == expected


def test_so_is_one_of_another_package_in_a_file_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "first.txt").write_text("-r more.txt\n")
    (tmp_path / "more.txt").write_text("iniconfig\nnumpy<1.20\n")
    # pip tells the release, and no more what was asked for.
    said = "Cannot install numpy<1.20 and tensorflow-cpu==2.21.0; tensorflow-cpu 2.21.0 depends on numpy>=1.26.0"
    expected = f"; ours is {OURS}, and theirs numpy<1.20 ({tmp_path}/more.txt, line 2)"
    assert whose(said, recipe("-r", str(tmp_path / "first.txt"))) == expected


@pytest.mark.parametrize(
    ("words", "theirs"), [(("demo",), "demo"), (("-e", "/src/demo[test]"), "what /src/demo[test] needs")]
)
def test_so_is_a_project(words: tuple[str, ...], theirs: str) -> None:
    said = f"The user requested {OURS}; demo 1.0 depends on tensorflow-cpu==2.20.0"
    assert whose(said, recipe(*words)) == f"; ours is {OURS}, and theirs {theirs}"


def test_what_is_of_neither_is_nobodys() -> None:
    assert whose("numpy 1 needs numpy 2", recipe("demo")) == ""
    assert whose(f"{OURS} and x", recipe("-r", "/no/such/file")) == ""
