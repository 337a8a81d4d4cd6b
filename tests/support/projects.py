"""A project with tests of its own, in which `upgrade` is called, beside a folder of wheels."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

import stand_in_uv
import wheels
from pytest_tfkernel import __main__ as program

TESTS = """
import tensorflow

def test_value():
    assert tensorflow.value == 1

def test_other():
    pass
"""


def surroundings(folder: Path, links: Path) -> dict[str, str]:
    """Variables with which an upgrade takes no time, and asks nobody: below this folder is what it takes for uv."""
    return {
        "PATH": f"{stand_in_uv.put(folder / 'bin')}{os.pathsep}{os.environ['PATH']}",
        "PIP_FIND_LINKS": str(links),
        "UV_FIND_LINKS": str(links),
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DEBUG_TEMPROOT": str(folder),
        # What an ordinary run of the project keeps away.
        "PYTEST_ADDOPTS": "-p no:asyncio -p no:fakefs -p no:isolated -p no:rerunfailures -p no:xdist",
    }


def canned(folder: Path) -> dict[str, str]:
    """Variables with which trials of the suite are played by hand. What is for the pytest of tests is kept from it."""
    (folder / "site").mkdir()
    kept = {"PYTEST_PLUGINS": "played", "PYTEST_ADDOPTS": os.environ["PYTEST_ADDOPTS"]}
    (folder / "site/sitecustomize.py").write_text(f"import os\nos.environ.update({kept})\n", encoding="utf-8")
    return {
        "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(Path(__file__).parent)]),
        "TRIALS": "canned",
        "TRIALS_LOG": str(folder / "trials.log"),
    }


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line of stderr that is no progress."""
        return self.err.splitlines()[-1]


@dataclass(frozen=True)
class Project:
    """A folder in which `upgrade` is called."""

    folder: Path
    links: Path
    capture: pytest.CaptureFixture[str]

    @property
    def runs(self) -> Path:
        return self.folder / ".tfkernel-upgrade/runs"

    def environments(self) -> list[str]:
        """Those that are whole."""
        return sorted(path.parent.name for path in self.folder.glob(".tfkernel-upgrade/environments/*/*.json"))

    def release(self, version: str, source: str, name: str = "tensorflow-cpu", module: str = "tensorflow") -> None:
        """One more release of a package."""
        wheels.build(self.links, name, version, {f"{module}/__init__.py": source})

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def __call__(self, *words: str) -> Said:
        try:
            code = program.main(["upgrade", *words])
        except SystemExit as ended:
            code = int(ended.code or 0)
        found = self.capture.readouterr()
        return Said(code, found.out, found.err)
