"""Looks at the machine, whatever a test has put over the functions that look."""

from __future__ import annotations

import builtins
import io
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfkernel._child import proc, system
from pytest_tfkernel.audit.own import own_resources
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Kind

NAMES = ("open", "listdir", "scandir", "readlink", "stat", "lstat", "getpid", "getcwd", "read", "close")


def look() -> list[object]:
    """What the gate and the audit ask of a process."""
    table = Table()
    mine = table.entry(system.pid())
    assert mine is not None
    links = {link.target for link in table.links([mine])}
    return [
        system.pid(),
        mine.process.start_time == proc.start_time(system.pid()),
        proc.command_line(system.pid()),
        system.pid() in proc.pids(),
        any(resource.kind is Kind.HANDLE for resource in own_resources()),
        bool(links),
        bool(list(table.mapped([mine], b"/", Kind.SHARED_MEMORY))),
        table.is_torn,
    ]


def refuse(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


def a_function(patch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        patch.setattr(os, name, refuse)
    patch.setattr(builtins, "open", refuse)
    patch.setattr(io, "open", refuse)


def a_path(patch: pytest.MonkeyPatch) -> None:
    for name in ("open", "read_text", "read_bytes", "stat", "exists", "iterdir"):
        patch.setattr(Path, name, refuse)


def a_module(patch: pytest.MonkeyPatch) -> None:
    """As pyfakefs does it: each name of each module that stands for `os`, or for a function of it."""
    kept = {id(getattr(os, name)) for name in NAMES} | {id(open)}
    empty = types.ModuleType("os")
    for name in NAMES:
        setattr(empty, name, refuse)
    empty.__dict__.update({name: one for name, one in vars(os).items() if name not in NAMES})
    for module in [one for name, one in sys.modules.items() if name.startswith("pytest_tfkernel")]:
        for name, one in list(vars(module).items()):
            if one is os:
                patch.setattr(module, name, empty)
            elif id(one) in kept:
                patch.setattr(module, name, refuse)


@pytest.mark.parametrize("put", [a_function, a_path, a_module])
def test_what_a_test_puts_in_their_place_hides_nothing(put: Callable[[pytest.MonkeyPatch], None]) -> None:
    before = look()
    with pytest.MonkeyPatch.context() as patch:
        put(patch)
        after = look()
    assert after == before
    assert not any(one is False for one in before[:-1])


def test_a_file_of_many_parts_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 200_000)
    assert system.read(str(tmp_path / "long")) == b"x" * 200_000
    assert len(system.read(str(tmp_path / "long"), 10)) >= 10


@pytest.mark.parametrize(
    ("given", "found"), [("/a/b", "/a/b"), ("//a/./b/", "/a/b"), ("/a/../../b", "/b"), ("/", "/"), ("", "")]
)
def test_paths_are_made_absolute(given: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert system.absolute(given) == (found or str(tmp_path.resolve()))
    assert system.absolute(f"x{given}") == os.path.abspath(f"x{given}")  # noqa: PTH100 - what it stands for


def test_a_link_is_there_and_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "broken").symlink_to(tmp_path / "none")
    assert (system.is_folder(str(tmp_path)), system.is_folder(str(tmp_path / "link"))) == (True, False)
    assert (system.exists(str(tmp_path / "broken")), system.exists(str(tmp_path / "none"))) == (True, False)
    assert not system.exists("nul\0byte")
