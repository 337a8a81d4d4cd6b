"""A project whose upgrades take no time."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects import TESTS, Project, surroundings


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
    for name, text in surroundings(tmp_path, found.links).items():
        monkeypatch.setenv(name, text)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return found
