"""Kernels of others whose packages aren't installed: left out and said so, or an error where they were asked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from inner import Inner, counts

HERE = "pip install"


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """An interpreter that has TensorFlow and none of the hosts."""
    path = tmp_path / "bare-python"
    facts: dict[str, object] = {
        "executable": str(path),
        "version": list(sys.version_info[:3]),
        "tensorflow": "2.21.0",
        "packages": {},
        "cuda": None,
    }
    path.write_text(
        f'#!/bin/sh\ncase "$1" in */describe.py) echo \'{json.dumps(facts)}\' >&3;; *) exec {sys.executable} "$@";; esac\n'
    )
    path.chmod(0o755)
    return f"--tfkernel-python={path}"


def _error(result: pytest.RunResult) -> str:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    return line


def test_they_have_no_items_and_the_header_says_why(inner: Inner, bare: str) -> None:
    result = inner.run("--tfkernel", "--co", bare, COLUMNS="400")
    result.stdout.fnmatch_lines(
        [f"tfkernel: can't check {name} kernels: not installed: *{HERE} *" for name in ("Jupyter", "Spyder")]
    )
    assert not [line for line in result.outlines if "[jupyter-" in line or "[spyder-" in line]
    assert [line for line in result.outlines if "[forkserver-" in line]


def test_a_worker_collects_the_same(inner: Inner, bare: str) -> None:
    result = inner.run("--tfkernel", bare, "-n", "1", "-k", "audit")
    assert counts(result) == {"passed": 1}


@pytest.mark.parametrize(
    "asked",
    [
        "--tfkernel-require=spyder",
        "--tfkernel-provisioner=spyder",
        "tfkernel::graph-add[spyder-graph_add-sigkill-idle]",
    ],
)
def test_one_that_was_asked_for_is_one_clear_error(inner: Inner, bare: str, asked: str) -> None:
    line = _error(inner.run("--tfkernel", bare, asked))
    assert "not installed: spyder-kernels: `" in line
    assert line.endswith("bare-python -m pip install spyder-kernels`")


def test_one_that_is_installed_can_be_required(inner: Inner, tensorflow_python: str) -> None:
    pytest.importorskip("spyder_kernels")
    required = [f"--tfkernel-require={name}" for name in ("jupyter", "spyder")]
    assert inner.run("--tfkernel", "--co", "-q", *required).ret == 0
