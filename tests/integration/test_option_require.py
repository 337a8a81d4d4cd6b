"""`--tfkernel-require` and its ini value: what this machine lacks is an error before the first test."""

from __future__ import annotations

from pathlib import Path

import pytest

from inner import Inner, counts

ONE = "tfkernel::graph-add[forkserver-graph_add-none-idle]"

# A machine on which no cgroup can be made.
NO_CGROUPS = """
import pytest
from pytest_tfkernel.processes.cgroups import CgroupUnavailableError

def find_parent(controller):
    raise CgroupUnavailableError(f"no {controller} here: ask the administrator")

patch = pytest.MonkeyPatch()
patch.setattr("pytest_tfkernel.processes.cgroups.find_parent", find_parent)
patch.setattr("pytest_tfkernel.machine.capabilities.find_parent", find_parent)
"""


def _error(result: pytest.RunResult) -> str:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.errlines)
    return line


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["alone", "workers"])
def test_missing_capability_is_an_error_that_says_what_and_how(canned: Inner, arguments: tuple[str, ...]) -> None:
    canned.write("conftest.py", NO_CGROUPS)
    line = _error(canned.run("--tfkernel", "--tfkernel-require=oom-kill", *arguments))
    assert line == "ERROR: tfkernel: this machine lacks OOM kills: no memory here: ask the administrator"
    assert canned.played() == []


def test_ini_value_requires_too(canned: Inner) -> None:
    canned.write("conftest.py", NO_CGROUPS)
    canned.write("pytest.ini", "[pytest]\ntfkernel_require =\n    tensorflow\n    process-limit\n")
    assert "lacks limits on processes" in _error(canned.run("--tfkernel"))


def test_missing_gpu_says_what_a_gpu_needs(canned: Inner) -> None:
    if any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists():
        pytest.skip("there is a GPU here")
    line = _error(canned.run(ONE, "--tfkernel-require=gpu"))
    assert line.startswith("ERROR: tfkernel: this machine lacks GPUs: no /dev/nvidia* exists")
    assert "--gpus" in line


def test_unknown_capability_is_an_error_with_the_choice(canned: Inner) -> None:
    line = _error(canned.run("--tfkernel", "--tfkernel-require=tensorflow", "--tfkernel-require=unicorns"))
    assert line == (
        "ERROR: --tfkernel-require=unicorns: unknown; choose from tensorflow, oom-kill, process-limit, jupyter,"
        " spyder, multiprocess, gpu, nvml-processes, gpu-memory"
    )


def test_what_is_there_lets_the_run_begin(canned: Inner) -> None:
    assert counts(canned.run(ONE, "--tfkernel-require=tensorflow")) == {"passed": 1}


def test_without_the_suite_nothing_is_required(inner: Inner) -> None:
    inner.write("pytest.ini", "[pytest]\ntfkernel_require = unicorns\n")
    inner.write("test_mine.py", "def test_mine(): pass\n")
    assert counts(inner.run()) == {"passed": 1}
