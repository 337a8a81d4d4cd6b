"""Whether a run is saved, and by which name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_tfkernel.plugin.saving import asked_for


def asked(given: str | None = None, ini: str = "", *words: str, addopts: Sequence[str] = ()) -> str | None:
    config: Any = SimpleNamespace(
        option=SimpleNamespace(tfkernel_isolate=None),
        getoption=lambda _: given,
        getini={"tfkernel_save": ini, "addopts": addopts}.get,
        invocation_params=SimpleNamespace(args=words),
    )
    return asked_for(cast("pytest.Config", config))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()


@pytest.mark.parametrize(
    ("given", "ini", "name"),
    [
        (None, "", None),
        (None, "false", None),
        (None, " Off ", None),
        (None, "true", ""),
        (None, "YES", ""),
        (None, "nightly", "nightly"),
        ("", "", ""),
        ("", "nightly", ""),
        ("mine", "nightly", "mine"),
    ],
)
def test_the_command_line_counts_and_then_the_ini_file(given: str | None, ini: str, name: str | None) -> None:
    assert asked(given, ini) == name


@pytest.mark.parametrize("word", ["tests", "tests/", "none/such.py", "test_x.py::test_y", "tfkernel::a[b]"])
def test_a_path_behind_the_option_is_not_taken_for_a_name(word: str) -> None:
    with pytest.raises(pytest.UsageError, match="is that a name or a path"):
        asked(word, "", "--tfkernel-save", word)


def test_a_name_that_is_a_path_too_is_a_name_where_it_cannot_be_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked("tests", "", "--tfkernel-save=tests") == "tests"
    assert asked("tests", "", addopts=["--tfkernel-save=tests"]) == "tests"
    monkeypatch.setenv("PYTEST_ADDOPTS", "-q --tfkernel-save=tests")
    assert asked("tests") == "tests"


@pytest.mark.parametrize("name", ["7", "last", "run.json", "a b"])
def test_a_name_that_cannot_be_is_one_line(name: str) -> None:
    with pytest.raises(pytest.UsageError, match=f"^--tfkernel-save={name}: '{name}' "):
        asked(name, "", f"--tfkernel-save={name}")
    with pytest.raises(pytest.UsageError, match=f"^tfkernel_save = {name}: '{name}' "):
        asked(None, name)
