"""Leaks of a GPU that TensorFlow's GPU build leaves on the stand-in driver are seen: `tox -e gpu-standin`."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting, State, Verdict
from pytest_tfkernel.suite.guarantees import GUARANTEES
from pytest_tfkernel.suite.observing import observe
from pytest_tfkernel.suite.scenarios.gpu import GPU
from pytest_tfkernel.trials.stage import Stage

# A session that has run leaves a child, which inherits the handles of the GPU and with them the context.
ORPHAN = """
import os, signal
import tensorflow as tf

_run, _forked = tf.compat.v1.Session.run, []

def _run_and_fork(*arguments, **keywords):
    result = _run(*arguments, **keywords)
    if not _forked:
        _forked.append(os.fork())
        while not _forked[0]:
            signal.pause()
    return result

tf.compat.v1.Session.run = _run_and_fork
"""
MATMUL = Setting("forkserver", "gpu_matmul", "sigkill")
RELEASED = GPU.settings[0]


@pytest.fixture
def machine(launcher: Launcher) -> Iterator[Path]:
    """The description of the machine around us, which is as before afterwards."""
    folder = os.environ.get("TFKERNEL_STUB")
    if folder is None or not Path("/dev/nvidia0").exists():
        pytest.skip("no stand-in driver around us: tox -e gpu-standin")
    if launcher.interpreter(sys.executable).cuda is None:
        pytest.skip("TensorFlow isn't built for GPUs here: tox -e gpu-standin")
    machine = Path(folder) / "machine"
    before = machine.read_text(encoding="utf-8")
    yield machine
    machine.write_text(before, encoding="utf-8")


@pytest.fixture
def stage(machine: Path, launcher: Launcher) -> Iterator[Stage]:
    """One that waits for no memory in vain, and has looked at the GPU."""
    stage = Stage(launcher)
    assert stage.gpus.calibration.sees_processes, stage.gpus.calibration
    stage.gpus.settling = dataclasses.replace(stage.gpus.settling, seconds=1.0)
    yield stage
    stage.close()


def verdicts(stage: Stage, setting: Setting, startup: str = "") -> dict[str, Verdict]:
    seen = observe(setting, stage, KernelSpec(startup=startup))
    return {one.id: one.judge(seen) for one in GUARANTEES if one.applies(setting)}


def test_an_honest_kernel_passes(stage: Stage) -> None:
    found = {**verdicts(stage, MATMUL), **verdicts(stage, RELEASED)}
    assert {"gpu-matmul", "nothing-is-left", "no-cuda-context", "gpu-is-usable-again"} <= found.keys()
    assert {name: one for name, one in found.items() if one.state is not State.PASS} == {}


def test_an_orphan_with_the_context_is_listed_still(stage: Stage) -> None:
    found = verdicts(stage, RELEASED, ORPHAN)["no-cuda-context"]
    assert found.state is State.FAIL, found
    assert "NVML still lists the dead process" in found.reason


def test_an_orphan_with_the_context_is_named_with_its_device(stage: Stage) -> None:
    found = verdicts(stage, MATMUL, ORPHAN)["nothing-is-left"]
    assert found.state is State.FAIL, found
    assert "process " in found.reason
    assert "/dev/nvidia0" in found.reason


def test_memory_that_stays_after_the_death_is_counted(machine: Path, stage: Stage) -> None:
    with machine.open("a", encoding="utf-8") as file:
        file.write("fall 3600\n")
    found = verdicts(stage, RELEASED)["no-cuda-context"]
    assert found.state is State.FAIL, found
    assert "bytes more are in use than before" in found.reason
