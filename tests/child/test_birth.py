"""How the supervisor starts a process."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from pytest_tfkernel._child import birth

ORDER: dict[str, Any] = {"lease": 77, "cgroups": [], "limits": [], "folder": "/"}
SAY = "import json, os; print(json.dumps([os.getcwd(), os.getsid(0) == os.getpid(), dict(os.environ).get('A')]))"


def test_a_process_has_its_order_a_session_and_what_it_was_given() -> None:
    reader, writer = os.pipe()
    error = os.dup(2)
    pid = birth.start([sys.executable, "-I", "-S", "-c", SAY], {"A": "1"}, ORDER, {1: writer, 2: error})
    # What it was given is its own.
    for descriptor in (writer, error):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
    with os.fdopen(reader) as file:
        assert file.read() == '["/", true, "1"]\n'
    assert os.waitpid(pid, 0) == (pid, 0)


@pytest.mark.parametrize(
    ("argv", "order", "words"),
    [
        (["/nonexistent"], ORDER, "No such file or directory"),
        (["/bin/true"], {**ORDER, "folder": "/nonexistent"}, "'/nonexistent'"),
        (["/bin/true"], {**ORDER, "cgroups": ["/nonexistent/cgroup.procs"]}, "cgroup.procs"),
    ],
    ids=["exec", "folder", "cgroup"],
)
def test_what_fails_before_it_is_told(argv: list[str], order: dict[str, Any], words: str) -> None:
    given = os.dup(2)
    with pytest.raises(OSError, match=words):
        birth.start(argv, {}, order, {2: given})
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(given)


def test_a_fork_that_is_refused_keeps_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    given = os.dup(2)
    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(BlockingIOError):
        birth.start(["/bin/true"], {}, ORDER, {2: given})
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(given)
