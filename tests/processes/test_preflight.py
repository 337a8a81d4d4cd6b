"""Where no supervisor could begin, one line says what is refused and what allows it."""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import handles
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.processes import preflight
from pytest_tfkernel.processes.preflight import Calls, check


def refuse(number: int) -> Callable[..., int]:
    def call(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return call


def said(calls: Calls) -> str:
    with pytest.raises(KernelStartError) as caught:
        check(calls)
    text = str(caught.value)
    assert text.startswith("nothing can be started here: ")
    assert "\n" not in text
    return text


def test_here_all_of_it_is_given_and_nothing_is_left() -> None:
    before = death_signal()
    with handles.none_stays():
        check()
    assert death_signal() == before


def death_signal() -> int:
    value = ctypes.c_int()
    ctypes.CDLL(None).prctl(2, ctypes.byref(value), 0, 0, 0)
    return value.value


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS, errno.EACCES])
@pytest.mark.parametrize("call", ["pidfd_open", "memfd_create", "pidfd_send_signal", "prctl"])
def test_a_call_that_is_refused_is_named_with_what_allows_it(call: str, number: int) -> None:
    change: dict[str, Any] = {call: refuse(number)}
    text = said(dataclasses.replace(Calls(), **change))
    assert f": {call} is refused ({errno.errorcode[number]}: {os.strerror(number)}): " in text
    assert "--security-opt seccomp=unconfined" in text
    assert bool(re.search(r"of Linux \d\.\d+", text)) is (number == errno.ENOSYS)


def test_proc_must_be_there(tmp_path: Path) -> None:
    assert "can't be read (No such file or directory): mount it (`mount -t proc" in said(Calls(proc=tmp_path))


def test_proc_must_be_ours(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1/stat").touch()
    (tmp_path / "self").symlink_to("1")
    assert "shows us as process 1: it is that of another pid namespace" in said(Calls(proc=tmp_path))


@pytest.mark.parametrize("executable", [None, "", "/nonexistent/python", "/dev/null"])
def test_python_must_be_there(executable: str | None) -> None:
    assert f"sys.executable is {executable!r}, which can't be run" in said(Calls(executable=executable))


@pytest.mark.parametrize(
    ("code", "words"), [("exit 1", ""), ("echo 'no such library' >&2; exit 127", "and said 'no such library'")]
)
def test_a_supervisor_that_ends_at_once_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{code}\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    words_of_it = r"^nothing can be started here: [^\n]* ended at once"
    with handles.none_stays(), pytest.raises(KernelStartError, match=words_of_it) as caught:
        Launcher()
    assert words in str(caught.value)
    assert "did a cell" not in str(caught.value)


def test_a_call_that_nobody_thought_of_is_told_too() -> None:
    text = str(preflight.cannot_begin("PermissionError: [Errno 1] Operation not permitted"))
    assert "said 'PermissionError: [Errno 1] Operation not permitted'" in text
    assert "seccomp" in text
