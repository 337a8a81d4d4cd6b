from __future__ import annotations

import pytest

from pytest_tfkernel.doctor.visible import visible
from pytest_tfkernel.model.gpus import Gpu


def gpu(uuid: str, parent: str = "") -> Gpu:
    return Gpu(uuid, "card", 100, 0, (), mig=uuid == "GPU-b", parent=parent)


GPUS = [gpu("GPU-a1"), gpu("GPU-b"), gpu("MIG-b1", "GPU-b"), gpu("MIG-b2", "GPU-b"), gpu("GPU-a2")]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (None, ["GPU-a1", "MIG-b1", "MIG-b2", "GPU-a2"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0", ["GPU-a1"]),
        ("2, 0", ["GPU-a2", "GPU-a1"]),
        ("0,0", ["GPU-a1"]),
        ("0,9,2", ["GPU-a1"]),
        ("0,-1,2", ["GPU-a1"]),
        ("0,,2", ["GPU-a1"]),
        ("1", ["MIG-b1"]),
        ("GPU-b", ["MIG-b1"]),
        ("MIG-b2", ["MIG-b2"]),
        ("gpu-A2", ["GPU-a2"]),
        ("GPU-a", []),
        ("MIG-b1,GPU-a1", ["MIG-b1", "GPU-a1"]),
        ("a1", []),
        ("٣", []),
    ],
)
def test_the_gpus_are_those_that_cuda_would_show(wanted: str | None, chosen: list[str]) -> None:
    assert [one.uuid for one in visible(GPUS, wanted)] == chosen
