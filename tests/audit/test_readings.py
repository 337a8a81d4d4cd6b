"""Readings of NVML as typed data."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_tfkernel.audit import readings
from pytest_tfkernel.model.gpus import GpuProcess, Reading


def described(**changes: object) -> dict[str, Any]:
    """A GPU as the helper describes it."""
    return {
        "index": 0,
        "uuid": "GPU-1",
        "name": "NVIDIA H100",
        "memory": {"total": 1000, "used": 10},
        "processes": [{"pid": 7, "memory": 5, "kind": "compute"}],
        "mig": None,
        "instances": [],
        **changes,
    }


def reading(*devices: object, **changes: object) -> dict[str, Any]:
    return {"kind": "reading", "driver": "580.1", "cuda": 13000, "devices": list(devices), "id": 1, **changes}


def test_a_device_is_read() -> None:
    read = readings.parse(reading(described(mig=False)))
    (gpu,) = read.gpus
    assert (read.driver, read.cuda, read.error, read.lost) == ("580.1", 13000, "", ())
    assert (gpu.uuid, gpu.name, gpu.total, gpu.used, gpu.mig, gpu.parent) == (
        "GPU-1",
        "NVIDIA H100",
        1000,
        10,
        False,
        "",
    )
    assert gpu.processes == (GpuProcess(7, 5, "compute"),)


def test_instances_follow_their_device() -> None:
    instance = described(uuid="MIG-1")
    read = readings.parse(reading(described(mig=True, instances=[instance]), described(uuid="GPU-2")))
    assert [(gpu.uuid, gpu.mig, gpu.parent) for gpu in read.gpus] == [
        ("GPU-1", True, ""),
        ("MIG-1", False, "GPU-1"),
        ("GPU-2", False, ""),
    ]


def test_what_one_call_could_not_tell_has_its_reason() -> None:
    failed = {"error": "Not Supported", "code": 3}
    (gpu,) = readings.parse(reading(described(memory=failed, processes=failed))).gpus
    assert (gpu.total, gpu.used, gpu.memory_error) == (None, None, "Not Supported")
    assert (gpu.processes, gpu.processes_error) == (None, "Not Supported")


@pytest.mark.parametrize(
    "device",
    [
        {"index": 3, "error": "GPU is lost", "code": 15},
        described(index=3, memory={"error": "GPU is lost", "code": 15}),
        described(index=3, processes={"error": "GPU is lost", "code": 15}),
        described(index=3, memory={"error": "GPU is lost", "code": 16}),
    ],
)
def test_a_device_that_is_lost_is_told(device: dict[str, Any]) -> None:
    for devices in ((described(), device), (device, described())):
        read = readings.parse(reading(*devices))
        assert (len(read.gpus), read.lost, read.denied) == (1, ("GPU 3: GPU is lost",), ())


def test_a_device_of_others_is_not_lost() -> None:
    read = readings.parse(reading({"index": 3, "error": "Insufficient Permissions", "code": 4}))
    assert (read.lost, read.denied) == ((), ("GPU 3: Insufficient Permissions",))


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([(0, 5, "compute"), (7, None, "compute")], [GpuProcess(7, None)]),
        ([(1, 5, "compute")], [GpuProcess(1, 5)]),
        ([(7, 5, "compute"), (7, 6, "graphics")], [GpuProcess(7, 5)]),
        ([(7, 5, "compute"), (7, 6, "mps")], [GpuProcess(7, 6, "mps")]),
        ([(-1, 5, "compute"), ("8", "9", "compute")], [GpuProcess(8, 9)]),
        ([], []),
    ],
)
def test_each_process_is_listed_once(listed: list[tuple[object, ...]], expected: list[GpuProcess]) -> None:
    processes = [dict(zip(("pid", "memory", "kind"), one, strict=True)) for one in listed]
    (gpu,) = readings.parse(reading(described(processes=processes))).gpus
    assert gpu.processes == tuple(expected)


@pytest.mark.parametrize("hung", [True, False])
def test_a_failure_is_an_error(hung: bool) -> None:
    message = {"kind": "failed", "error": "Driver Not Loaded", "code": 9, "hung": hung}
    assert readings.parse(message) == Reading(error="Driver Not Loaded", code=9, hung=hung)
    assert readings.parse({"kind": "failed", "error": ""}).error


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"kind": "failed"},
        {"kind": "reading"},
        reading(7),
        reading("error"),
        reading({}),
        reading([]),
        reading(None),
        reading(described(memory=None)),
        reading(described(memory={"total": "much", "used": 1})),
        reading(described(memory={"total": math.inf, "used": 1})),
        reading(described(memory={"total": math.nan, "used": 1})),
        reading(described(processes=None)),
        reading(described(processes=[7])),
        reading(described(processes=[{"pid": 7}])),
        reading(described(instances=None)),
        reading(described(), cuda="new"),
        reading(described(), devices=None),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error(message: dict[str, Any]) -> None:
    read = readings.parse(message)
    assert read.gpus == ()
    assert read.error.startswith("its answer makes no sense")
