"""The GPU memory that pytest's own process keeps until it ends, as TensorFlow does: no test's leak, and told once."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import pytest

from pytest_tfkernel.audit.calibration import Platform
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.model.gpus import Calibration, Reading
from pytest_tfkernel.plugin.launching import launcher_of


def lines(config: pytest.Config, devices: Collection[str], folder: Path = Path("/dev")) -> tuple[str, ...]:
    """What is to be told of the devices that pytest's process has open, each GPU in a line."""
    if not devices or not any(folder.glob("nvidia[0-9]*")):
        return ()
    try:
        gpus = Gpus(launcher_of(config))
    except TFKernelError as error:
        return (f"{_holder(devices)}; how much memory it holds can't be seen: {error}",)
    try:
        # First what the session holds, then what that reading is worth.
        reading = gpus.nvml.read()
        return tell(devices, gpus.calibration, reading, Platform().threads(os.getpid()) | {os.getpid()})
    finally:
        gpus.close()


def tell(devices: Collection[str], calibration: Calibration, reading: Reading, ids: Collection[int]) -> tuple[str, ...]:
    """The lines, for a process that NVML may list under one of `ids`."""
    holder = _holder(devices)
    if not calibration.sees_processes:
        why = f": {calibration.reason}" if calibration.reason else ""
        return (f"{holder}; how much memory it holds can't be seen: {calibration.sight.value}{why}",)
    if reading.error:
        return (f"{holder}; how much memory it holds can't be seen: {reading.error}",)
    found = []
    for gpu in reading.gpus:
        for process in gpu.processes or ():
            if process.pid in ids:
                amount = "an unknown amount" if not process.memory else f"{process.memory / (1 << 20):.0f} MiB"
                found.append(f"{holder}; it holds {amount} of memory on {gpu.name} ({gpu.uuid})")
    return tuple(found) or (f"{holder}, and no memory",)


def _holder(devices: Collection[str]) -> str:
    return f"pytest itself (process {os.getpid()}) has {', '.join(sorted(devices))} open until it ends"
