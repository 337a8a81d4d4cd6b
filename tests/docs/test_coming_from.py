"""Both sides of the page for people who come from elsewhere run, and are the same tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from inner import Inner, counts
from warm import without

PAGE = Path(__file__).parents[2] / "docs" / "coming-from.md"
_SIDE = re.compile(r"^(Before|After), with `([^`]*)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Title to the two sides, each a command and what it runs.
SECTIONS = {
    title: {side: (command, code) for side, command, code in _SIDE.findall(text)}
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
}
LISTS = "Lists of tests to be run alone"
CLUSTER = "TensorFlow's `multi_process_runner`"
# What runs on pytest 8 only, and is there with `tox -e neighbours-pytestoldest`; each is in the way of all others.
OLD = {"pytest-forked": "forked", "pytest-isolate": "isolate"}
# Beside that one pytest-isolate isolates nothing, and limits nothing.
_TIMEOUT = "timeout"
_IS_OLD = int(pytest.__version__.partition(".")[0]) < 9
# What the other files of a list's folder are like.
OTHER = """
import os

def test_is_none_of_the_list():
    assert "KERAS_BACKEND" not in os.environ
"""


def test_each_section_has_both_sides() -> None:
    assert [title for title, sides in SECTIONS.items() if list(sides) != ["Before", "After"]] == []
    assert {*OLD, CLUSTER, LISTS} < {*SECTIONS}


def _together() -> Iterator[tuple[str, ...]]:
    """Sections that one run can play, since what is isolated knows nothing of the others; kernels import TensorFlow."""
    for command in sorted({sides["After"][0] for sides in SECTIONS.values()}):
        same = [title for title, sides in SECTIONS.items() if sides["After"][0] == command]
        yield tuple(title for title in same if title != CLUSTER)
        yield from ((title,) for title in same if title == CLUSTER)


@pytest.mark.parametrize("titles", [*_together()], ids=", ".join)
def test_after(inner: Inner, titles: tuple[str, ...]) -> None:
    (command,) = {SECTIONS[title]["After"][0] for title in titles}
    sections = {title: SECTIONS[title]["After"][1] for title in titles}
    for place, (title, code) in enumerate(sections.items()):
        _lay(inner, title, code, f"test_{place}.py")
    _check(inner, command, sections)


# What others run is the same with each TensorFlow.
@pytest.mark.parametrize(
    "title",
    [
        pytest.param(title, marks=[pytest.mark.soak] * ("tensorflow" in sides["Before"][1]))
        for title, sides in SECTIONS.items()
        if title not in {CLUSTER, LISTS}
    ],
)
def test_before(inner: Inner, title: str) -> None:
    command, code = SECTIONS[title]["Before"]
    if title in OLD and not (_IS_OLD and find_spec(title.replace("-", "_"))):
        pytest.skip("runs on pytest 8, where it is installed: see `tox -e neighbours-pytestoldest`")
    unwanted = {*OLD.values(), _TIMEOUT} - {OLD.get(title)}
    command = " ".join([command, *without(*sorted(unwanted, key=str))])
    inner = replace(inner, plugins=("isolated",))
    _lay(inner, title, code)
    _check(inner, command, {title: code})


@pytest.mark.soak
def test_before_a_cluster(tmp_path: Path) -> None:
    for name in ("tensorflow", "portpicker", "tblib"):
        pytest.importorskip(name)
    _, code = SECTIONS[CLUSTER]["Before"]
    # Bazel makes a program of it, which starts itself again for each task.
    program = tmp_path / "cluster_test"
    program.write_text(f"#!{sys.executable}\n{code}", encoding="utf-8")
    program.chmod(0o700)
    # absl makes a folder of its own there.
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[       OK ] ClusterTest.test_each_task_knows_itself" in done.stdout + done.stderr


def test_before_a_list(inner: Inner) -> None:
    _, tests = SECTIONS[LISTS]["After"]
    command, code = SECTIONS[LISTS]["Before"]
    _lay(inner, LISTS, tests)
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


def _lay(inner: Inner, title: str, code: str, name: str = "test_backend.py") -> None:
    """These tests are in the folder, and for a list others beside them."""
    inner.write("pytest.ini", "[pytest]\naddopts = --strict-markers -p no:xdist\n")
    inner.write(name, code)
    if title == LISTS:
        inner.write("test_other.py", OTHER)


def _check(inner: Inner, command: str, sections: dict[str, str]) -> None:
    program, *words = command.split()
    assert program == "pytest"
    expected = sum(len(re.findall(r"^def test_", code, re.MULTILINE)) for code in sections.values())
    assert counts(inner.run(*words)) == {"passed": expected + (LISTS in sections)}
