"""What is said of a process on the GPUs, on readings that a test makes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.gpus import Calibration, Gpu, GpuProcess, Reading, Sight
from pytest_tfkernel.model.processes import ProcessId

ME = ProcessId(os.getpid(), 1)
OTHER = GpuProcess(4_000_000, 10)
MINE = GpuProcess(os.getpid(), 10)


@dataclass
class Nvml:
    """Says what a test says."""

    reading: Reading = field(default_factory=Reading)

    def read(self) -> Reading:
        return self.reading


def gpu(uuid: str, *processes: GpuProcess, used: int | None = 5, **changes: Any) -> Gpu:
    return Gpu(**{"uuid": uuid, "name": "H", "total": 9, "used": used, "processes": processes, **changes})


@pytest.fixture
def gpus(launcher: Launcher, tmp_path: Path) -> Iterator[Gpus]:
    (tmp_path / "nvidia0").touch()
    gpus = Gpus(launcher, devices=tmp_path)
    yield gpus
    gpus.close()


def know(gpus: Gpus, *readings: Gpu, sight: Sight = Sight.FULL, **changes: Any) -> None:
    """Two GPUs are visible; `readings` is what NVML says of them."""
    vars(gpus)["calibration"] = Calibration(sight, **{"visible": ("a", "b"), **changes})
    gpus.nvml = Nvml(Reading(readings))  # type: ignore[assignment]


UNREADABLE: dict[str, Any] = {"processes": None, "processes_error": "Insufficient Permissions"}


@pytest.mark.parametrize(
    ("readings", "listed"),
    [
        ((gpu("GPU-a"), gpu("GPU-b")), False),
        ((gpu("GPU-a", OTHER), gpu("GPU-b", OTHER)), False),
        ((gpu("GPU-a", OTHER, MINE), gpu("GPU-b")), True),
        ((gpu("GPU-a"), gpu("GPU-b", MINE)), True),
        # It is listed, whatever can't be read elsewhere.
        ((gpu("GPU-a", **UNREADABLE), gpu("GPU-b", MINE)), True),
        ((gpu("GPU-a", **UNREADABLE), gpu("GPU-b")), None),
        ((gpu("GPU-a"), gpu("GPU-b", **UNREADABLE)), None),
        ((gpu("GPU-a"),), None),
        ((), None),
        # One that isn't ours to use.
        ((gpu("GPU-a"), gpu("GPU-b"), gpu("GPU-c", MINE)), False),
    ],
)
def test_a_process_is_listed_or_not_or_nobody_knows(gpus: Gpus, readings: tuple[Gpu, ...], listed: bool | None) -> None:
    know(gpus, *readings)
    assert gpus.lists(ME) is listed


@pytest.mark.parametrize("sight", [sight for sight in Sight if sight is not Sight.FULL])
def test_where_processes_can_not_be_seen_nobody_knows(gpus: Gpus, sight: Sight) -> None:
    know(gpus, gpu("GPU-a", MINE), gpu("GPU-b"), sight=sight)
    assert gpus.lists(ME) is None


def test_threads_stand_for_their_process_where_the_driver_lists_them(gpus: Gpus) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert thread.native_id is not None
        reading = gpu("GPU-a", GpuProcess(thread.native_id, 10)), gpu("GPU-b")
        know(gpus, *reading)
        assert (gpus.lists(ME), set(gpus.ids(ME))) == (False, {os.getpid()})
        know(gpus, *reading, thread_ids=True)
        assert gpus.lists(ME) is True
        assert {os.getpid(), thread.native_id} <= gpus.ids(ME)
        assert gpus.ids(ProcessId(5_000_000, 1)) == {5_000_000}
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize(
    ("readings", "used"),
    [
        ((gpu("GPU-a"), gpu("GPU-b", used=7)), 12),
        ((gpu("GPU-a", used=None), gpu("GPU-b", used=7)), None),
        ((gpu("GPU-a"),), None),
        ((gpu("GPU-a"), gpu("GPU-b"), gpu("GPU-c", used=100)), 10),
    ],
)
def test_the_memory_of_all_visible_ones_is_told_or_none(
    gpus: Gpus, readings: tuple[Gpu, ...], used: int | None
) -> None:
    know(gpus, *readings)
    assert gpus.used_memory() == used


def test_without_a_visible_one_no_memory_is_told(gpus: Gpus) -> None:
    know(gpus, gpu("GPU-a"), visible=())
    assert gpus.used_memory() is None


@pytest.mark.parametrize("mps", [True, False])
def test_a_kill_harms_others_where_they_share_a_server(gpus: Gpus, mps: bool) -> None:
    know(gpus, gpu("GPU-a"), mps=mps)
    assert bool(gpus.harm) is mps
    gpus.devices = gpus.devices / "none"
    vars(gpus).pop("are_there", None)
    assert gpus.harm == ""
