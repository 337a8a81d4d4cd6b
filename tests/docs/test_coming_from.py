"""Both sides of the page for people who come from elsewhere run, and are the same tests."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from inner import Inner, counts

PAGE = Path(__file__).parents[2] / "docs" / "coming-from.md"
_SIDE = re.compile(r"^(Before|After), with `([^`]*)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Title to the two sides, each a command and what it runs.
SECTIONS = {
    title: {side: (command, code) for side, command, code in _SIDE.findall(text)}
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
}
LISTS = "Lists of tests to be run alone"
# Their "before" doesn't run here, and why.
ELSEWHERE = {
    "pytest-forked": "1.7.5 fails every test on pytest 9",
    "pytest-isolate": "0.0.17 asks pytest for a function that pytest 9 doesn't have, in every test",
    "TensorFlow's `multi_process_runner`": "its test_main finds its own binary below bazel-out only",
}
# What the other files of a list's folder are like.
OTHER = """
import os

def test_is_none_of_the_list():
    assert "KERAS_BACKEND" not in os.environ
"""


@pytest.fixture
def inner(tmp_path: Path) -> Inner:
    """An empty folder."""
    return Inner.make(tmp_path)


def test_each_section_has_both_sides() -> None:
    assert [title for title, sides in SECTIONS.items() if list(sides) != ["Before", "After"]] == []
    assert {*ELSEWHERE, LISTS} < {*SECTIONS}


@pytest.mark.parametrize("title", SECTIONS)
def test_after(inner: Inner, title: str) -> None:
    command, code = SECTIONS[title]["After"]
    _check(_laid(inner, title, code), command, code, title)


@pytest.mark.parametrize("title", [title for title in SECTIONS if title not in {*ELSEWHERE, LISTS}])
def test_before(inner: Inner, title: str) -> None:
    command, code = SECTIONS[title]["Before"]
    _check(_laid(replace(inner, plugins=("isolated",)), title, code), command, code, title)


def test_before_a_list(inner: Inner) -> None:
    _, tests = SECTIONS[LISTS]["After"]
    command, code = SECTIONS[LISTS]["Before"]
    inner = _laid(inner, LISTS, tests)
    path = f"{Path(sys.executable).parent}:{inner.environment['PATH']}"
    for line in code.splitlines():
        done = subprocess.run(
            [command, "-c", line],
            cwd=inner.folder,
            env={**inner.environment, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert "1 passed" in done.stdout


def _laid(inner: Inner, title: str, code: str) -> Inner:
    """A folder with these tests, and for a list with others beside them."""
    inner.write("pytest.ini", "[pytest]\naddopts = --strict-markers -p no:xdist\n")
    inner.write("test_backend.py", code)
    if title == LISTS:
        inner.write("test_other.py", OTHER)
    return inner


def _check(inner: Inner, command: str, code: str, title: str) -> None:
    program, *words = command.split()
    assert program == "pytest"
    expected = len(re.findall(r"^def test_", code, re.MULTILINE)) + (title == LISTS)
    assert counts(inner.run(*words)) == {"passed": expected}
