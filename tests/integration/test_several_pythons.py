"""`--tfkernel-python` given several times: the suite in each of several interpreters, side by side."""

from __future__ import annotations

import collections
import json
import re
import sys
from pathlib import Path

import pytest

from inner import Inner, counts

FACTS = {"version": [3, 7, 16], "tensorflow": "1.15.5", "packages": {"numpy": "1.18.5"}, "cuda": None}


def _fake(folder: Path, name: str, **changes: object) -> str:
    """An interpreter that says other things of itself; what it runs is pytest's own."""
    path = folder / name
    facts = {"executable": str(path), **FACTS, **changes}
    path.write_text(
        f'#!/bin/sh\ncase "$1" in */describe.py) echo \'{json.dumps(facts)}\' >&3;; *) exec {sys.executable} "$@";; esac\n'
    )
    path.chmod(0o755)
    return f"--tfkernel-python={path}"


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    """An old and a new one."""
    new = _fake(tmp_path, "new", version=[3, 13, 0], tensorflow="2.21.0", cuda="12.5")
    return _fake(tmp_path, "old"), new


def test_each_has_a_line_in_the_header_and_a_column_in_the_matrix(canned: Inner, two: tuple[str, str]) -> None:
    result = canned.run("--tfkernel", "--tfkernel-size=smoke", *two, COLUMNS="400")
    result.stdout.fnmatch_lines(
        [
            "tfkernel: kernels tf1.15.5-py3.7 are Python 3.7.16, TensorFlow 1.15.5, NumPy 1.18.5 (*/old)",
            "tfkernel: kernels tf2.21.0-py3.13 are Python 3.13.0, TensorFlow 2.21.0, built for CUDA 12.5, NumPy * (*/new)",
            "forkserver *tf1.15.5-py3.7 *tf2.21.0-py3.13",
            "  graph_add sigkill *PASS 6 *PASS 6",
            "*7 trials with *, 33 verdicts: 33 PASS, 0 FAIL, 0 KNOWN, 0 UNKNOWN",
        ]
    )
    assert counts(result) == {"passed": 33}


def test_each_setting_is_played_once_with_each(canned: Inner, two: tuple[str, str]) -> None:
    canned.run("--tfkernel", "--tfkernel-size=smoke", "-n", "2", *two)
    played = canned.played_in()
    assert len(played) == len(set(played)) == 7
    assert collections.Counter(kernel for kernel, _ in played) == {"tf1.15.5-py3.7": 3, "tf2.21.0-py3.13": 3, "None": 1}


def test_they_are_played_in_turns(canned: Inner, two: tuple[str, str]) -> None:
    canned.run("--tfkernel", "-p", "no:xdist", *two)
    played = [one for one in canned.played_in() if one[0] != "None"]
    mine, theirs = played[::2], played[1::2]
    assert len({kernel for kernel, _ in mine}) == 1
    assert [setting for _, setting in mine] == [setting for _, setting in theirs]


def test_id_as_printed_can_be_pasted_back(canned: Inner, two: tuple[str, str]) -> None:
    chosen = "tfkernel::graph-add[tf1.15.5-py3.7/forkserver-graph_add-sigkill-idle]"
    assert counts(canned.run(chosen, *two)) == {"passed": 1}
    alone = canned.run(chosen)
    assert alone.ret == pytest.ExitCode.USAGE_ERROR
    assert "it is of a run with several --tfkernel-python: give them too" in "".join(alone.errlines)


def test_two_alike_have_labels_of_their_own(canned: Inner, tmp_path: Path) -> None:
    result = canned.run("--tfkernel", "--co", "-q", _fake(tmp_path, "one"), _fake(tmp_path, "other"))
    labels = {found[1] for line in result.outlines if (found := re.search(r"\[([^/\]]+)/", line))}
    assert labels == {"tf1.15.5-py3.7", "tf1.15.5-py3.7-2"}


def test_one_without_tensorflow_is_named(canned: Inner, two: tuple[str, str], tmp_path: Path) -> None:
    result = canned.run("--tfkernel", *two, _fake(tmp_path, "bare", tensorflow=None, version=[3, 12, 0]))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    assert "lacks TensorFlow: py3.12: install it with `" in line
    assert line.endswith("bare -m pip install tensorflow-cpu`")


def test_one_that_does_not_exist_is_one_clear_error(canned: Inner, two: tuple[str, str]) -> None:
    result = canned.run("--tfkernel", *two, "--tfkernel-python=/no/such/python")
    (line,) = filter(None, result.errlines)
    assert line.startswith("ERROR: --tfkernel-python: python='/no/such/python' doesn't exist")
