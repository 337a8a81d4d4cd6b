"""constraints.txt, and how it is renewed. Neither pip nor GitHub is called here."""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("constraints", ROOT / ".ci/constraints.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bounds(python: str) -> dict[str, str]:
    """The upper bound of each package on this Python."""
    found = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            one = Requirement(line)
            if one.marker is None or one.marker.evaluate({"python_version": python}):
                assert one.name not in found, f"two bounds on Python {python}"
                found[one.name] = str(one.specifier)
    return found


def wanted() -> Iterator[str]:
    """What we install ourselves: by pyproject.toml, and by tox.ini."""
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    yield from project["build-system"]["requires"]
    yield from project["project"]["dependencies"]
    for extra, requirements in project["project"]["optional-dependencies"].items():
        # Of CUDA's gigabytes nothing is installed but on a machine of its own.
        yield from requirements if extra != "cuda" else ()
    environments = configparser.ConfigParser(interpolation=None)
    environments.read(ROOT / "tox.ini", encoding="utf-8")
    for one in environments.values():
        yield from (line.rpartition(": ")[2] for line in one.get("deps", "").splitlines() if line)


@pytest.mark.parametrize("python", [*PYTHONS, "3.14"])
def test_all_that_is_installed_has_an_upper_bound(python: str) -> None:
    bounded = bounds(python)
    names = {canonicalize_name(Requirement(one).name) for one in wanted()}
    assert {"pytest", "msgspec", "tensorflow-cpu", "spyder", "ruff"} <= names
    assert names - bounded.keys() == set()
    assert {bound[:2] for bound in bounded.values()} == {"<="}


def test_commands_of_the_readme_use_it() -> None:
    lines = re.findall(r"^python3 .*pip install.*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == 2
    assert [line for line in lines if "-c constraints.txt" not in line] == []


@pytest.mark.parametrize(
    ("versions", "lines"),
    [
        (["1.0", "1.0", "1.0"], ["a<=1.0"]),
        (["1.0", "2.0", "2.0"], ['a<=1.0; python_version < "3.11"', 'a<=2.0; python_version >= "3.11"']),
        (
            ["1.0", "2.0", "10.0"],
            [
                'a<=1.0; python_version < "3.11"',
                'a<=2.0; python_version >= "3.11" and python_version < "3.12"',
                'a<=10.0; python_version >= "3.12"',
            ],
        ),
        (["1.0", "", ""], ["a<=1.0"]),
        (["", "2.0", ""], ["a<=2.0"]),
        (["1.0", "", "2.0"], ['a<=1.0; python_version < "3.12"', 'a<=2.0; python_version >= "3.12"']),
    ],
)
def test_a_bound_has_a_marker_where_pythons_differ(script: ModuleType, versions: list[str], lines: list[str]) -> None:
    found = {
        python: {"a": Version(version)} if version else {} for python, version in zip(PYTHONS, versions, strict=False)
    }
    assert list(script.lines(found)) == lines


def test_of_several_answers_the_newest_counts(script: ModuleType) -> None:
    answers = [{"a": Version("9.0")}, {"a": Version("10.0"), "b": Version("1")}]
    assert script.newest(answers) == {"a": Version("10.0"), "b": Version("1")}


def test_ourselves_are_in_no_constraint(script: ModuleType) -> None:
    assert list(script.lines({"3.10": {"pytest-tfkernel": Version("0.1")}})) == []


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a remote one, and a `gh` that notes what it is asked."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "checkout"
    git(tmp_path, "init", "--quiet", "--bare", "remote")
    git(tmp_path, "clone", "--quiet", "remote", "checkout")
    (folder / "constraints.txt").write_text("# Some.\na<=1.0\n", encoding="utf-8")
    git(folder, "add", "constraints.txt")
    git(folder, "-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--message", "first")
    gh = tmp_path / "bin/gh"
    gh.parent.mkdir()
    gh.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\n[ "$2" != list ] || echo 0\n', encoding="utf-8")
    gh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{gh.parent}{os.pathsep}{os.environ['PATH']}")
    return folder


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def propose(checkout: Path, text: str) -> subprocess.CompletedProcess[str]:
    renewed = checkout.parent / "renewed.txt"
    renewed.write_text(text, encoding="utf-8")
    command = ["bash", str(ROOT / ".ci/propose"), str(renewed)]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_what_is_newer_is_proposed(checkout: Path) -> None:
    text = '# Some.\na<=2.0rc1\nb-c<=1.0.post2; python_version >= "3.11" and python_version < "3.12"\n'
    done = propose(checkout, text)
    assert done.returncode == 0, done.stderr
    assert git(checkout.parent / "remote", "show", "renew-constraints:constraints.txt") == text
    assert "pr create --head renew-constraints" in (checkout.parent / "asked").read_text(encoding="utf-8")


def test_what_is_not_newer_is_not_proposed(checkout: Path) -> None:
    assert propose(checkout, "# Some.\na<=1.0\n").returncode == 0
    assert not (checkout.parent / "asked").exists()


@pytest.mark.parametrize(
    "line", ["", "a", "a @ https://example.org/a", "-e .", "--index-url=x", "a<=1; rm -r /", "a<=1 b"]
)
def test_what_is_no_constraint_is_refused(checkout: Path, line: str) -> None:
    done = propose(checkout, f"# Some.\na<=1.0\n{line}\n")
    assert (done.returncode, done.stderr.startswith("propose: ")) == (1, True)
    assert git(checkout, "status", "--porcelain") == ""
