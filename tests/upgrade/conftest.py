"""A project whose upgrades take no time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import stand_in_uv
from projects import TESTS, Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Project:
    """With two releases of what is called TensorFlow here, and a test that the newer one breaks."""
    found = Project(tmp_path / "project", tmp_path / "links", capfd)
    found.folder.mkdir()
    found.links.mkdir()
    found.release("2.18.1", "value = 1\n")
    found.release("2.21.0", "value = 2\n")
    found.write("tests/test_mine.py", TESTS)
    found.write("pytest.ini", "[pytest]\n")
    monkeypatch.chdir(found.folder)
    monkeypatch.setenv("PATH", f"{stand_in_uv.put(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}")
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.setenv(name, str(found.links))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", str(tmp_path))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    # What an ordinary run of the project keeps away.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:asyncio -p no:fakefs -p no:isolated -p no:rerunfailures -p no:xdist")
    return found
