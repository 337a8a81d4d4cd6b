"""Files of requirements, and what they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.upgrade import requirement_files
from pytest_tfkernel.upgrade.recipes import Recipe
from pytest_tfkernel.upgrade.requirements import Installs


@pytest.mark.parametrize(
    "line",
    [
        "-r more.txt",
        "-rmore.txt",
        "--requirement more.txt",
        "--requirement=more.txt # why",
        "-c more.txt",
        "-r ./more.txt",
    ],
)
def test_what_a_file_names_is_looked_at_too(tmp_path: Path, line: str) -> None:
    folder = tmp_path / "requirements"
    folder.mkdir()
    first, more = folder / "first.txt", folder / "more.txt"
    first.write_text(f"numpy\n{line}\n")
    more.write_text("# as in production\n\nkeras == 3.5  # pinned\n-r first.txt\n--index-url https://x/y\n")
    assert [one.resolve() for one in requirement_files.files(first)] == [first, more]
    found = [(one.text, one.path.name, one.number) for one in requirement_files.lines(first)]
    assert found == [("numpy", "first.txt", 1), ("keras == 3.5", "more.txt", 3)]
    # What decides what is installed decides whether an environment is as it was.
    made = Recipe((), Installs.of([], [str(first)]), "python", tmp_path / "plugin.whl")
    before = made.installs.sources
    more.write_text("keras == 3.6\n")
    assert more.resolve() in [one.resolve() for one in before]
    assert {str(one) for one in before} == made.installs.files


@pytest.mark.parametrize("line", ["-e .", "-e .[test]", "--editable=.", "-e ./"])
def test_so_is_what_a_project_that_it_links_says_of_its_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("-r other.txt\n")
    (tmp_path / "requirements.txt").write_text(f"{line}\n")
    found = requirement_files.files(tmp_path / "requirements.txt")
    assert found == [tmp_path / "requirements.txt", tmp_path / "pyproject.toml"]
    assert [*requirement_files.lines(tmp_path / "requirements.txt")] == []


@pytest.mark.parametrize("line", ["-r https://x/more.txt", "-r", "-e", "-e git+https://x/y", "-r absent.txt", "-r ."])
def test_what_is_no_file_here_is_left_to_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first.txt").write_bytes(f"{line}\n\udcff".encode("utf-8", "surrogateescape"))
    assert requirement_files.files(tmp_path / "first.txt") == [tmp_path / "first.txt"]
