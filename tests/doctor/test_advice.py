"""What a person can change about what is missing: one line for each cause."""

from __future__ import annotations

import pytest

from pytest_tfkernel.doctor import advice
from pytest_tfkernel.doctor.findings import GpuLook
from pytest_tfkernel.model.gpus import Calibration, Reading, Sight
from pytest_tfkernel.model.trials import Capability


def lacks(*names: str) -> list[Capability]:
    return [Capability(name, "", available=False, reason=f"why not {name}") for name in names]


def test_what_is_there_needs_nothing() -> None:
    assert advice.changes([Capability("gpu", "", available=True)], Calibration(Sight.FULL), None) == ()


def test_each_has_its_own_reason_and_the_same_one_stands_once() -> None:
    same = [Capability(name, "", available=False, reason="install it") for name in ("jupyter", "spyder")]
    assert advice.changes([*same, *lacks("oom-kill")], None, None) == (
        "jupyter, spyder: install it",
        "oom-kill: why not oom-kill",
    )


@pytest.mark.parametrize("sight", [one for one in Sight if one is not Sight.FULL])
def test_one_cause_takes_several_things_away(sight: Sight) -> None:
    (line,) = advice.changes(lacks("nvml-processes", "gpu-memory"), Calibration(sight), None)
    assert line.startswith("nvml-processes, gpu-memory: ")
    assert "why not" not in line
    # And nothing that it has no part in.
    assert advice.changes(lacks("oom-kill"), Calibration(sight), None) == ("oom-kill: why not oom-kill",)


def test_without_a_driver_that_is_the_cause_whatever_else_was_seen() -> None:
    look = GpuLook(Reading(error="no driver", code=9))
    (line,) = advice.changes(lacks("gpu", "gpu-idle"), Calibration(Sight.FULL), look)
    assert line.startswith("gpu, gpu-idle: install the NVIDIA driver")


def test_what_is_wrong_with_the_machine_is_told_too() -> None:
    look = GpuLook(Reading(lost=("GPU-a is lost",)))
    found = advice.changes([], Calibration(Sight.FULL, mps=True), look)
    assert [line.partition(":")[0] for line in found] == ["GPU-a is lost", "MPS"]
