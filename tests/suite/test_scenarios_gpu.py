"""The scenario of GPUs and its judges, on a stand-in for the driver."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import driver_stub
from aims import FOLDER
from card import release
from driver_stub import GIB, DriverStub
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.capabilities import describe, gpu_capabilities
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.gpus import Sight
from pytest_tfkernel.model.trials import State, Verdict
from pytest_tfkernel.suite.guarantees.gpus import gpu_is_usable_again, no_cuda_context
from pytest_tfkernel.suite.scenarios.gpu import Handover

SABOTEUR = (FOLDER / "forks_with_its_context.py").read_text(encoding="utf-8")


def verdicts(seen: Facts[Handover]) -> tuple[Verdict, Verdict]:
    return no_cuda_context.judge(seen), gpu_is_usable_again.judge(seen)


@pytest.mark.parametrize("fault", ["sigkill", "cuda-fault"])
def test_a_context_that_goes_after_a_while_passes(
    machine: DriverStub, gpus: Gpus, launcher: Launcher, fault: str
) -> None:
    machine.write(driver_stub.device(), "linger 0.2", "fall 0.4")
    seen = release(gpus, launcher, fault)
    assert [verdict.state for verdict in verdicts(seen)] == [State.PASS, State.PASS], seen
    assert seen.facts.release.seconds > 0.1
    assert ("(700)" in (seen.facts.said or "")) == (fault == "cuda-fault")


def test_an_orphan_that_keeps_the_context_fails_both(machine: DriverStub, gpus: Gpus, launcher: Launcher) -> None:
    machine.write(driver_stub.device(total=int(1.5 * GIB)), "handles")
    first, second = verdicts(release(gpus, launcher, "sigkill", SABOTEUR, seconds=0.5))
    assert (first.state, second.state) == (State.FAIL, State.PASS), (first, second)
    assert "still lists the dead process" in first.said


def test_memory_that_stays_fails(machine: DriverStub, gpus: Gpus, launcher: Launcher) -> None:
    machine.write(driver_stub.device(), "fall 60")
    first, _ = verdicts(release(gpus, launcher, "sigkill", seconds=0.5))
    assert first.state is State.FAIL
    assert "bytes more are in use than before" in first.said


def test_a_card_that_is_full_afterwards_is_not_usable(machine: DriverStub, gpus: Gpus, launcher: Launcher) -> None:
    # Enough for the sentinel's memory, which falls as slowly, and for one of the two kernels.
    machine.write(driver_stub.device(total=int(2.3 * GIB)), "fall 60")
    _, second = verdicts(release(gpus, launcher, "sigkill", seconds=0.2))
    assert second.state is State.FAIL
    assert "could not use the GPU" in second.reason
    assert "OUT_OF_MEMORY" in second.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("pids hidden", "NVML doesn't list our processes"),
        ("pids host", "ids of another namespace"),
        ("error nvmlInitWithFlags 999", "NVML fails"),
        ("error nvmlDeviceGetComputeRunningProcesses_v3 3", "NVML fails"),
        ("error cuInit 999", "no CUDA context can be made"),
        ("process pid=4000000 device=0 memory=1048576 kind=mps", "MPS is running"),
    ],
)
def test_what_can_not_be_seen_is_unknown(
    machine: DriverStub, gpus: Gpus, launcher: Launcher, line: str, reason: str
) -> None:
    machine.write(driver_stub.device(), line)
    for verdict in verdicts(release(gpus, launcher, "sigkill")):
        assert verdict.state is State.UNKNOWN
        assert reason in verdict.reason


def test_a_fault_that_may_harm_others_waits_for_an_empty_gpu(
    machine: DriverStub, gpus: Gpus, launcher: Launcher
) -> None:
    machine.write(driver_stub.device(), driver_stub.process(4000000))
    for verdict in verdicts(release(gpus, launcher, "cuda-fault")):
        assert verdict.state is State.UNKNOWN
        assert "processes that aren't ours use the GPU: 4000000" in verdict.reason


def test_a_shared_gpu_is_judged_by_its_list_alone(machine: DriverStub, gpus: Gpus, launcher: Launcher) -> None:
    machine.write(driver_stub.device(), driver_stub.process(4000000))
    first, _ = verdicts(release(gpus, launcher, "sigkill"))
    assert first.state is State.PASS
    assert "memory is no evidence here: 1 other process(es) use this GPU" in first.given


@pytest.mark.parametrize("said", ["none", "zero"])
def test_nothing_is_said_of_memory_that_is_not_told(
    machine: DriverStub, gpus: Gpus, launcher: Launcher, said: str
) -> None:
    machine.write(driver_stub.device(), f"process_memory {said}")
    _, second = verdicts(release(gpus, launcher, "sigkill"))
    assert second.state is State.UNKNOWN
    assert "doesn't say here how much a process holds" in second.reason


def test_capabilities_and_states_are_told(machine: DriverStub, gpus: Gpus) -> None:
    machine.write(driver_stub.device(name="NVIDIA_GH200"), "pids thread", "process_memory none")
    found = {one.name: (one.available, one.reason) for one in gpu_capabilities(gpus)}
    assert found["gpu"] == found["nvml-processes"] == (True, "")
    assert found["gpu-memory"] == (False, "NVIDIA GH200 (stand-in driver) shares its memory with the machine")
    assert "memory by process: not available" in describe(gpus)[0]


def test_a_dead_process_that_stays_listed_makes_the_list_worthless(machine: DriverStub, gpus: Gpus) -> None:
    machine.write(driver_stub.device(), "linger 60")
    gpus.settling = dataclasses.replace(gpus.settling, seconds=0.3)
    assert gpus.calibration.sight is Sight.FAILED
    assert "had ended was still listed" in gpus.calibration.reason


def test_without_a_device_nothing_is_started(launcher: Launcher, tmp_path: Path) -> None:
    gpus = Gpus(launcher, devices=tmp_path)
    assert [one.available for one in gpu_capabilities(gpus)] == [False] * 3
    assert describe(gpus) == ()
    assert "calibration" not in vars(gpus)
