"""`--tfkernel-python` and its ini value."""

from __future__ import annotations

import os
import sys
import venv
from pathlib import Path

import pytest

from inner import Inner, counts

ONE = "tfkernel::graph-add[forkserver-graph_add-none-idle]"
STARTS_BLANK = "tfkernel::starts-blank[forkserver-graph_add-none-idle]"


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter without TensorFlow."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


def _error(result: pytest.RunResult) -> str:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    return line


@pytest.mark.parametrize("arguments", [("--tfkernel",), ("--tfkernel", "-n", "2"), (ONE,)], ids=" ".join)
def test_one_that_does_not_exist_is_one_clear_error(inner: Inner, arguments: tuple[str, ...]) -> None:
    line = _error(inner.run(*arguments, "--tfkernel-python=/no/such/python"))
    assert line.startswith("ERROR: --tfkernel-python: python='/no/such/python' doesn't exist")


def test_one_that_is_not_python_is_one_clear_error(inner: Inner) -> None:
    line = _error(inner.run("--tfkernel", "--tfkernel-python=/bin/cat"))
    assert line.startswith("ERROR: --tfkernel-python: python='/bin/cat' is not a Python interpreter")


def test_one_without_tensorflow_is_one_clear_error(inner: Inner, bare_python: Path) -> None:
    line = _error(inner.run("--tfkernel", f"--tfkernel-python={bare_python}"))
    assert "lacks TensorFlow" in line
    assert f"`{bare_python} -m pip install tensorflow-cpu`" in line


def test_ini_value_is_used_and_the_option_wins(inner: Inner, bare_python: Path, tensorflow_python: str) -> None:
    inner.write("pytest.ini", f"[pytest]\ntfkernel_python = {bare_python}\n")
    assert str(bare_python) in _error(inner.run("--tfkernel"))
    assert inner.run("--tfkernel", "--co", "-q", f"--tfkernel-python={tensorflow_python}").ret == 0


def test_name_on_path_will_do(inner: Inner, bare_python: Path) -> None:
    path = os.pathsep.join([str(bare_python.parent), os.environ["PATH"]])
    assert f"`{bare_python} -m pip" in _error(inner.run("--tfkernel", "--tfkernel-python=python", PATH=path))


def test_is_what_the_fixture_uses(inner: Inner, bare_python: Path) -> None:
    inner.write(
        "test_mine.py",
        "import pytest\nfrom pytest_tfkernel import ForkServer\n\n"
        "@pytest.mark.tfkernel(provisioner=ForkServer(preload=()))\ndef test_mine(tfkernel):\n"
        f"    assert tfkernel.execute('import sys; sys.executable').value == {str(bare_python)!r}\n",
    )
    assert counts(inner.run(f"--tfkernel-python={bare_python}")) == {"passed": 1}


def test_fixture_says_what_is_wrong_in_one_line(inner: Inner) -> None:
    inner.write("test_mine.py", "def test_mine(tfkernel): pass\n")
    result = inner.run("--tfkernel-python=/no/such/python", "-n", "0")
    assert counts(result) == {"errors": 1}
    assert not [line for line in result.outlines if "pytest_tfkernel/" in line]
    result.stdout.fnmatch_lines(["*no kernel: python='/no/such/python' doesn't exist*"])


def test_line_to_type_names_the_interpreter(canned: Inner, tmp_path: Path) -> None:
    other = tmp_path / "an environment" / "python"
    other.parent.mkdir()
    other.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    other.chmod(0o755)
    canned.write("conftest.py", UNSEEN)
    result = canned.run(STARTS_BLANK, f"--tfkernel-python={other}")
    result.stdout.fnmatch_lines([f"tfkernel: kernels are Python *TensorFlow*({sys.executable})"])
    assert f"  pytest --tfkernel-python='{other}' \"{STARTS_BLANK}\"" in result.outlines


def test_kernels_on_tensorflow_1_15(inner: Inner) -> None:
    python = os.environ.get("TFKERNEL_TEST_PYTHON_TF115")
    if python is None:
        pytest.skip("TFKERNEL_TEST_PYTHON_TF115 names no interpreter with TensorFlow 1.15")
    result = inner.run("--tfkernel", f"--tfkernel-python={python}", "-k", "forkserver-variable_assign-sigkill-idle")
    assert counts(result) == {"passed": 7}
    result.stdout.fnmatch_lines(["tfkernel: kernels are Python 3.*TensorFlow 1.15*"])


# A kernel that nobody could look at.
UNSEEN = """
import dataclasses
import observations

honest = observations.honest

def unseen(setting):
    seen = honest(setting)
    first = dataclasses.replace(seen.first, operations_before=None, error="it was dark")
    return dataclasses.replace(seen, first=first)

observations.honest = unseen
"""


def test_empty_path_is_an_error_and_not_the_default(canned: Inner) -> None:
    result = canned.run("--tfkernel", "--tfkernel-python=")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "".join(result.errlines) == ("ERROR: --tfkernel-python= is empty: give a path, or leave it out")
