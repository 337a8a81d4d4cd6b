"""Options that would do nothing are refused in one line."""

from __future__ import annotations

import pytest

from inner import Inner, counts

LIGHT = """\
import pytest
from pytest_tfkernel import ForkServer

@pytest.mark.tfkernel(provisioner=ForkServer(preload=()))
def test_mine(tfkernel):
    assert tfkernel.execute("1").value == 1

def test_other():
    pass
"""


def _error(result: pytest.RunResult) -> str:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    return line


@pytest.mark.parametrize("option", ["--tfkernel-require=gpu", "--tfkernel-size=smoke", "--tfkernel-allow=oom-gpu"])
def test_one_of_the_suite_where_it_is_not_run(inner: Inner, option: str) -> None:
    inner.write("test_mine.py", LIGHT)
    line = f"ERROR: {option} is for the suite, and that isn't run: add --tfkernel, or leave it out"
    assert _error(inner.run(option)) == line
    assert _error(inner.run(option, "-n", "1", "--tfkernel-gate")) == line


def test_one_of_kernels_where_no_test_asks_for_one(inner: Inner) -> None:
    inner.write("test_mine.py", LIGHT)
    inner.write("test_plain.py", "def test_plain(): pass\n")
    option = "--tfkernel-provisioner=subprocess"
    assert counts(inner.run(option)) == {"passed": 3}
    # Whichever of them are deselected.
    assert counts(inner.run(option, "-k", "plain")) == {"passed": 1}
    line = _error(inner.run(option, "test_plain.py"))
    assert line.startswith(f"ERROR: {option} is for kernels, and no test here asks for one: add --tfkernel for")


def test_ini_values_are_for_the_sessions_to_which_they_apply(inner: Inner) -> None:
    inner.write("pytest.ini", "[pytest]\ntfkernel_require = gpu\ntfkernel_size = smoke\ntfkernel_python = python\n")
    inner.write("test_plain.py", "def test_plain(): pass\n")
    assert counts(inner.run()) == {"passed": 1}


@pytest.mark.parametrize("option", ["--tfkernel-gate", "--tfkernel-isolate"])
def test_a_mode_that_does_not_exist_is_answered_with_those_that_do(inner: Inner, option: str) -> None:
    inner.write("test_plain.py", "def test_plain(): pass\n")
    name = option.removeprefix("--").replace("-", "_")
    assert _error(inner.run(f"{option}=wran")).startswith(f"ERROR: {name} = wran: unknown; choose from ")
    assert _error(inner.run(f"{option}=")).startswith(f"ERROR: {name} = : unknown; choose from ")
    assert _error(inner.run(PYTEST_ADDOPTS=f"{option}=wran")).startswith(f"ERROR: {name} = wran: unknown; ")
