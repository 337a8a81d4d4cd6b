"""Nobody's files stand for modules of the standard library while we import."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pytest_tfkernel._child import library

# Imported by hardly anybody.
NAME = "this"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a test, with a module of that name."""
    (tmp_path / f"{NAME}.py").write_text("OURS = False")
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def load() -> ModuleType:
    return importlib.import_module(NAME)


def test_within_the_librarys_own_is_found_and_afterwards_the_tests(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = list(sys.path)
    with library.first():
        assert not hasattr(load(), "OURS")
    assert sys.path == path
    assert load().OURS is False


def test_the_tests_own_that_was_imported_is_there_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = load()
    with library.first():
        assert load() is not theirs
    assert sys.modules[NAME] is theirs


def test_what_is_none_of_the_library_stays_as_it_is(folder: Path) -> None:
    (folder / "tfk_of_a_test.py").write_text("")
    module = importlib.import_module("tfk_of_a_test")
    with library.first():
        assert sys.modules["tfk_of_a_test"] is module
    assert sys.modules.pop("tfk_of_a_test") is module


def test_where_nothing_is_in_the_way_what_was_imported_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    with library.first():
        imported = load()
    assert sys.modules[NAME] is imported


def test_an_error_leaves_all_as_it_was(folder: Path) -> None:
    path = list(sys.path)
    with pytest.raises(KeyError), library.first():
        raise KeyError
    assert sys.path == path
