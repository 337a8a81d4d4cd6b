"""What pip says that an index offers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.version import Version

import wheels
from pytest_tfkernel.upgrade import indexes
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.indexes import Offer, PackageIndex


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return tmp_path


def test_what_fits_here_and_what_is_for_others(offline: Path) -> None:
    for version, tag in (
        ("2.9.0", "py3-none-any"),
        ("2.10.0", "py3-none-any"),
        ("2.11.0rc0", "py3-none-any"),
        ("2.8.0", "cp37-cp37m-manylinux2010_x86_64"),
        ("2.8.0", "cp36-cp36m-manylinux2010_x86_64"),
        ("2.8.1", "cp37-cp37m-win_amd64"),
        ("2.10.0", "cp37-cp37m-manylinux2010_x86_64"),
    ):
        wheels.build(offline, "some-package", version, {}, tag=tag)
    index = indexes.of(sys.executable, offline)
    found = index.offer("some-package")
    assert found.versions == (Version("2.9.0"), Version("2.10.0"))
    assert found.others == {Version("2.8.0"): ("3.6", "3.7")}
    assert found.pythons("some-package==2.8.*") == ["3.6", "3.7"]
    assert found.pythons("some-package==2.9.*") == []
    assert index.offer("some-package", unreleased=True).versions[-1] == Version("2.11.0rc0")
    assert index.offer("nothing-of-this-name") == Offer()


def test_a_pip_that_cannot_say_it_is_a_line() -> None:
    with pytest.raises(UpgradeError, match="what there is of x can't be told: "):
        PackageIndex((sys.executable, "-c", "import sys; sys.exit('ERROR: no')")).offer("x")
    with pytest.raises(UpgradeError, match="/no/such/pip can't be asked: No such file"):
        PackageIndex(("/no/such/pip",)).offer("x")


def test_what_was_named_in_another_age_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Available versions: 2.0, 1.0-old_one, 1.0\n"
    monkeypatch.setattr(indexes, "ask", lambda _: subprocess.CompletedProcess([], 0, said, ""))
    assert PackageIndex(()).offer("x").versions == (Version("1.0"), Version("2.0"))


def test_an_interpreter_without_pip_gets_one(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        asked.append(" ".join(words[:3]))
        bare = words[0] == "/bare/python" and "pip" in words
        said = "/bare/python: No module named pip" if bare else "Available versions: 1.0\n"
        return subprocess.CompletedProcess([], int(bare), said, "")

    monkeypatch.setattr(indexes, "ask", ask)
    index = indexes.of("/bare/python", offline)
    assert index.offer("x").versions == index.offer("y").versions == (Version("1.0"),)
    own = f"{offline}/pip/bin/python -m pip"
    assert asked == ["/bare/python -m pip", "/bare/python -I -m", own, own]
