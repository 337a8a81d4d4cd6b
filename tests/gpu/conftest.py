"""What the tests on a real GPU share. They need the driver and our own dependencies, and no TensorFlow."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from card import Card
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.gpus import Gpus

_FIGURES = pytest.StashKey[dict[str, list[float]]]()
_MACHINE = pytest.StashKey[dict[str, object]]()


@pytest.fixture(scope="session")
def gpus(launcher: Launcher) -> Iterator[Gpus]:
    gpus = Gpus(launcher)
    yield gpus
    gpus.close()


@pytest.fixture
def card(gpus: Gpus, start: Callable[..., Kernel], pytestconfig: pytest.Config) -> Card:
    """The GPU; skips with the reason where NVML can't show processes on one."""
    calibration = gpus.calibration
    if not calibration.sees_processes:
        pytest.skip(f"{calibration.sight.value}: {calibration.reason}")
    pytestconfig.stash[_MACHINE] = {
        "driver": calibration.driver,
        "card": calibration.names[0],
        "thread_ids": calibration.thread_ids,
        "per_process": str(calibration.per_process and calibration.per_process.value),
        "advisory": calibration.advisory,
        "mps": calibration.mps,
        "notes": calibration.notes,
    }
    if calibration.mps:
        pytest.skip("MPS is running: a kill could take other people's processes along")
    return Card(gpus, calibration, start, pytestconfig.stash.setdefault(_FIGURES, {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The figures: number of tries, median and largest."""
    machine = config.stash.get(_MACHINE, None)
    if machine is None:
        return
    terminalreporter.section("gpu figures")
    for name, text in machine.items():
        terminalreporter.line(f"{name}: {text}")
    figures = config.stash.get(_FIGURES, {})
    for name, numbers in figures.items():
        median, largest = statistics.median(numbers), max(numbers)
        terminalreporter.line(f"{name}: {len(numbers)} tries, median {median:.3f}, largest {largest:.3f}")
    path = os.environ.get("TFKERNEL_GPU_FIGURES")
    if path:
        Path(path).write_text(json.dumps({"machine": machine, "figures": figures}, indent=1), encoding="utf-8")
