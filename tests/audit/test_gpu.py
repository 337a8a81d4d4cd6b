"""Readings of NVML by a real helper, and how a death shows in them, on the machine of a stand-in for the driver."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from accounts import Holding
from driver_stub import CONTEXT_BYTES, GIB, DriverStub, device, mig, process, uuid
from pytest_tfkernel._child import proc
from pytest_tfkernel.audit.gpu import Nvml, Settling, bare, find, listed
from pytest_tfkernel.model.gpus import Gpu, GpuProcess, Reading
from pytest_tfkernel.processes.companions import Helper

GPU = uuid(0)
MIB = 1 << 20


class Scripted:
    """A helper that gives the answers of a test, one after the other; the last one stays."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self._answers = list(answers)

    def ask(self, message: Mapping[str, object], seconds: float) -> dict[str, Any]:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def quick(nvml: Nvml, seconds: float = 10.0) -> Settling:
    return Settling(nvml, seconds=seconds, pause=0.01)


def test_all_devices_are_read(stub: DriverStub, nvml: Nvml) -> None:
    stub.write(device(0, used=GIB), device(1, name="NVIDIA A100"), process(7, device=1), "driver 570.1")
    read = nvml.read()
    assert (read.driver, read.cuda, read.error) == ("570.1 (stand-in)", 13000, "")
    assert [(gpu.uuid, gpu.name, gpu.used) for gpu in read.gpus] == [
        (uuid(0), "NVIDIA H100 (stand-in driver)", GIB),
        (uuid(1), "NVIDIA A100 (stand-in driver)", 0),
    ]
    assert [gpu.processes for gpu in read.gpus] == [(), (GpuProcess(7, GIB),)]


def test_instances_are_read(stub: DriverStub, nvml: Nvml) -> None:
    stub.write(device(0, mig="on"), mig(7), mig(8, used=5000), process(11, mig=1))
    read = nvml.read()
    found = find(read, uuid(8, "MIG"))
    assert [gpu.uuid for gpu in read.gpus] == [uuid(0), uuid(7, "MIG"), uuid(8, "MIG")]
    assert found is not None
    assert (found.parent, found.used, found.processes) == (uuid(0), 5000, (GpuProcess(11, GIB),))


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("GPU-12ab", "12ab", True),
        ("MIG-12AB", "12ab", True),
        ("GPU-12ab", "GPU-12ac", False),
    ],
)
def test_a_device_is_found_by_its_uuid_without_the_prefix(one: str, other: str, are_same: bool) -> None:
    gpu = Gpu(one, "", None, None, ())
    assert (find(Reading((gpu,)), other) is gpu) is are_same
    assert (bare(one) == bare(other)) is are_same


def test_a_process_is_listed_by_any_of_its_ids() -> None:
    gpu = Gpu(GPU, "", None, None, (GpuProcess(7, None),))
    assert listed(gpu, {7, 8})
    assert not listed(gpu, {8})
    assert not listed(Gpu(GPU, "", None, None, None), {7})


def test_what_never_answers_is_ended_at_its_deadline(
    stub: DriverStub, helper: Callable[..., Helper], await_death: Callable[[int], None]
) -> None:
    one = helper("nvml")
    nvml = Nvml(one, 0.5)
    assert nvml.read().error == ""
    assert one.process is not None
    pid = one.process.pid
    stub.write(device(), "hang nvmlDeviceGetComputeRunningProcesses_v3")
    read = nvml.read()
    assert (read.hung, read.error) == (True, "no answer within 0.5 s")
    assert proc.start_time(pid) is None
    stub.write(device())
    assert Nvml(one).read().error == ""


def test_a_device_that_is_lost_is_no_device(stub: DriverStub, nvml: Nvml) -> None:
    stub.write(device(0), "error nvmlDeviceGetUUID 15")
    read = nvml.read()
    assert (read.gpus, read.lost) == ((), ("GPU 0: GPU is lost",))
    release = quick(nvml).wait(GPU, {7}, None)
    assert (release.listed, release.error) == (None, "NVML could not be read: GPU 0: GPU is lost")


@pytest.mark.parametrize("kept", ["linger 0.3", "fall 0.3", "linger 0.1\nfall 0.3"])
def test_a_death_settles(stub: DriverStub, nvml: Nvml, hold: Callable[[], Holding], kept: str) -> None:
    stub.write(device(used=GIB), *kept.split("\n"))
    holding = hold()
    gpu = find(nvml.read(), GPU)
    assert gpu is not None
    assert listed(gpu, {holding.pid})
    assert gpu.used == GIB + CONTEXT_BYTES + 1000
    holding.die()
    release = quick(nvml).wait(GPU, {holding.pid}, GIB)
    assert (release.listed, release.used, release.error) == (False, GIB, "")
    assert 0.1 < release.seconds < 10


def test_without_a_baseline_only_the_list_counts(stub: DriverStub, nvml: Nvml, hold: Callable[[], Holding]) -> None:
    stub.write(device(), "fall 3600")
    holding = hold()
    holding.die()
    release = quick(nvml).wait(GPU, {holding.pid}, None)
    assert (release.listed, release.baseline) == (False, None)
    assert release.used is not None
    assert release.used > 0


def test_memory_that_is_never_given_back_is_waited_for_to_the_deadline(
    stub: DriverStub, nvml: Nvml, hold: Callable[[], Holding]
) -> None:
    stub.write(device(), "fall 3600")
    holding = hold()
    holding.die()
    release = quick(nvml, seconds=0.3).wait(GPU, {holding.pid}, 0)
    assert release.listed is False
    assert release.seconds > 0.3
    assert release.used is not None
    assert release.used > CONTEXT_BYTES / 2


def test_a_handle_that_a_child_has_inherited_keeps_the_context(
    stub: DriverStub, nvml: Nvml, hold: Callable[[], Holding], heir: Callable[[int], int]
) -> None:
    stub.write(device(), "handles")
    holding = hold()
    child = heir(holding.pid)
    holding.die()
    release = quick(nvml, seconds=0.3).wait(GPU, {holding.pid}, 0)
    assert (release.listed, release.used) == (True, CONTEXT_BYTES + 1000)
    Holding(child, holding.await_death).die()
    assert quick(nvml).wait(GPU, {holding.pid}, 0).listed is False


@pytest.fixture
def heir() -> Callable[[int], int]:
    """A process that has all that another one has open, as its fork would."""

    def heir(pid: int) -> int:
        names = [name for name in os.listdir(f"/proc/{pid}/fd") if "nvidia" in os.readlink(f"/proc/{pid}/fd/{name}")]
        assert names
        pidfd = os.pidfd_open(pid)
        child = os.fork()
        if child == 0:
            try:
                import ctypes
                import signal

                for name in names:
                    assert ctypes.CDLL(None).syscall(438, pidfd, int(name), 0) > 0  # pidfd_getfd
                os.write(told, b"x")
                signal.pause()
            finally:
                os._exit(1)
        os.close(pidfd)
        return child

    hear, told = os.pipe()

    def wait(pid: int) -> int:
        child = heir(pid)
        assert os.read(hear, 1) == b"x"
        return child

    return wait


def read(used: int | None, *pids: int, **changes: object) -> dict[str, Any]:
    """A reading with one device, as the helper gives it."""
    memory = {"total": 1000 * MIB, "used": used} if used is not None else {"error": "Not Supported", "code": 3}
    processes = [{"pid": pid, "memory": None, "kind": "compute"} for pid in pids]
    description = {"uuid": GPU, "name": "", "memory": memory, "processes": processes, "mig": None, "instances": []}
    return {"kind": "reading", "driver": "1", "cuda": 1, "devices": [{**description, **changes}]}


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def settled(*answers: dict[str, Any], seconds: float = 30.0) -> tuple[object, ...]:
    """`listed`, `seconds` and used MiB when looked at every second."""
    clock = Clock()
    settling = Settling(Nvml(Scripted(*answers)), clock, clock.sleep, seconds, 1.0)
    release = settling.wait(GPU, {7}, 100 * MIB)
    return release.listed, release.seconds, None if release.used is None else release.used // MIB


def test_three_equal_readings_are_settled_since_the_first_of_them() -> None:
    back, more = read(100 * MIB), read(300 * MIB)
    assert settled(back) == (False, 0.0, 100)
    assert settled(more, back) == (False, 1.0, 100)
    assert settled(back, back, more, back) == (False, 3.0, 100)
    assert settled(read(100 * MIB, 7), back) == (False, 1.0, 100)


def test_memory_is_back_within_what_the_driver_keeps() -> None:
    assert settled(read(108 * MIB)) == (False, 0.0, 108)
    assert settled(read(109 * MIB)) == (False, 31.0, 109)
    assert settled(read(50 * MIB)) == (False, 0.0, 50)


def test_memory_that_cannot_be_read_is_no_evidence() -> None:
    assert settled(read(None)) == (False, 0.0, None)


def test_other_processes_do_not_matter() -> None:
    assert settled(read(100 * MIB, 8)) == (False, 0.0, 100)


def test_what_stays_listed_is_told_at_the_deadline() -> None:
    assert settled(read(100 * MIB, 7), seconds=3.0) == (True, 4.0, 100)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"kind": "failed", "error": "Unknown Error", "code": 999}, "Unknown Error"),
        (read(0, uuid="GPU-other"), f"{GPU} is gone"),
        (read(0, processes={"error": "Not Supported", "code": 3}), "Not Supported"),
    ],
)
def test_a_reading_that_fails_is_no_evidence(answer: dict[str, Any], why: str) -> None:
    release = Settling(Nvml(Scripted(answer))).wait(GPU, {7}, 0)
    assert (release.listed, release.error) == (None, f"NVML could not be read: {why}")
