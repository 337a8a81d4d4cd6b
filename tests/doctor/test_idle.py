from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.audit.calibration import Platform
from pytest_tfkernel.doctor.findings import Fulfilment
from pytest_tfkernel.doctor.idle import READ_SECONDS, watch
from pytest_tfkernel.doctor.site import Site

MIB = 1 << 20
NOBODY = 1 << 23
HOST = "pid:[4026531836]"


class Clock:
    """Time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Nvml:
    """Answers in turn, the last one again and again."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.limits: list[float] = []

    def ask(self, _: Mapping[str, object], seconds: float) -> dict[str, Any]:
        self.limits.append(seconds)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def reading(*pids: int, used: int | None = 0, uuid: str = "GPU-a") -> dict[str, Any]:
    return {"kind": "reading", "driver": "580", "cuda": 13000, "devices": [card(*pids, used=used, uuid=uuid)]}


def card(*pids: int, used: int | None = 0, uuid: str = "GPU-a") -> dict[str, Any]:
    memory: dict[str, Any] = {"error": "Not Supported", "code": 3} if used is None else {"total": 1 << 40, "used": used}
    processes = [{"pid": pid, "memory": 1, "kind": "compute"} for pid in pids]
    return {
        "index": 0, "uuid": uuid, "name": "card", "memory": memory, "processes": processes, "mig": None, "instances": []
    }  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A machine without processes."""
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to(HOST)
    clock = Clock()
    machine = Platform(tmp_path / "version", tmp_path / "dxg", tmp_path)
    return Site(machine, tmp_path, environment={}, clock=clock, sleep=clock.sleep)


def inside(site: Site) -> Site:
    """The same machine, seen from a pid namespace of its own."""
    link = site.proc / "self/ns/pid"
    link.unlink()
    link.symlink_to("pid:[4026532000]")
    return site


def test_two_equal_readings_are_needed(site: Site) -> None:
    nvml = Nvml(reading())
    found = watch(nvml, site).result
    assert (found.answer, found.reason, len(nvml.limits)) == (Fulfilment.MET, "", 2)
    assert found.seconds == pytest.approx(0.1)


def test_memory_that_changes_keeps_it_waiting(site: Site) -> None:
    falling = [reading(used=used) for used in (500, 400, 300, 0, 0)]
    assert watch(Nvml(*falling), site).result.answer is Fulfilment.NOT_MET
    found = watch(Nvml(*falling), site, 30).result
    assert found.answer is Fulfilment.MET
    assert found.seconds == pytest.approx(0.4)


def test_a_user_in_between_starts_the_comparison_anew(site: Site) -> None:
    nvml = Nvml(reading(used=7), reading(NOBODY, used=7), reading(used=5), reading(used=5))
    assert watch(nvml, site, 30).result.answer is Fulfilment.MET
    assert len(nvml.limits) == 4


def test_a_busy_gpu_is_looked_at_until_the_end(site: Site) -> None:
    found = watch(Nvml(reading(NOBODY)), site, 5).result
    assert (found.answer, found.reason) == (Fulfilment.NOT_MET, f"held by 1 process(es): {NOBODY}")
    assert 5 <= found.seconds < 5.2


def test_only_the_first_reading_may_use_the_wait(site: Site) -> None:
    nvml = Nvml(reading())
    watch(nvml, site, 30)
    assert nvml.limits == [30 + READ_SECONDS, READ_SECONDS]


def test_a_lost_gpu_is_lost_at_once(site: Site) -> None:
    lost = {**reading(), "devices": [card(NOBODY), {"index": 1, "error": "GPU is lost", "code": 15}]}
    found = watch(Nvml(lost), site, 30).result
    assert (found.answer, found.reason, found.seconds) == (Fulfilment.LOST, "GPU 1: GPU is lost", 0)


def test_a_gpu_of_others_does_not_matter(site: Site) -> None:
    denied = {**reading(), "devices": [{"index": 0, "error": "Insufficient Permissions", "code": 4}, card()]}
    assert watch(Nvml(denied), dataclasses.replace(site, environment={"CUDA_VISIBLE_DEVICES": "0"})).result.answer is (
        Fulfilment.MET
    )


@pytest.mark.parametrize(
    ("used", "answer", "inside_answer"),
    [
        (0, Fulfilment.MET, Fulfilment.MET),
        (63 * MIB, Fulfilment.MET, Fulfilment.MET),
        (65 * MIB, Fulfilment.UNKNOWN, Fulfilment.UNKNOWN),
        (10240 * MIB, Fulfilment.UNKNOWN, Fulfilment.UNKNOWN),
        (None, Fulfilment.MET, Fulfilment.UNKNOWN),
    ],
)
def test_memory_that_nobody_holds_is_no_idle_gpu(
    site: Site, used: int | None, answer: Fulfilment, inside_answer: Fulfilment
) -> None:
    found = watch(Nvml(reading(used=used)), site).result
    assert found.answer is answer
    assert "--pid=host" not in found.reason
    within = watch(Nvml(reading(used=used)), inside(site)).result
    assert within.answer is inside_answer
    assert ("--pid=host" in within.reason) is (inside_answer is Fulfilment.UNKNOWN)
    for one in (found, within):
        if used is not None and one.answer is Fulfilment.UNKNOWN:
            assert f"{used // MIB} MiB of GPU-a are in use, by nobody " in one.reason


def test_what_was_not_looked_at_may_be_where_the_memory_is(site: Site) -> None:
    process = site.proc / "12"
    process.mkdir()
    (process / "stat").write_text(f"12 (x) S 1 1 1 {'0 ' * 15}1 0 5 0 0")
    (process / "fd").write_text("no folder")
    assert watch(Nvml(reading(used=500 * MIB)), site).result.reason == (
        "500 MiB of GPU-a are in use, by nobody that can be seen, and the next job would lack them;"
        " the open files of 1 process(es) of others can't be read: run as root"
    )


def test_memory_of_others_may_go_during_the_wait(site: Site) -> None:
    nvml = Nvml(*[reading(used=500 * MIB)] * 4, reading(used=3 * MIB))
    assert watch(nvml, inside(site), 30).result.answer is Fulfilment.MET


def test_wsl_is_not_asked(site: Site) -> None:
    site.machine.wsl.touch()
    nvml = Nvml(reading())
    found = watch(nvml, site)
    assert (found.result.answer, found.look, nvml.limits) == (Fulfilment.UNKNOWN, None, [])


def test_gvisor_is_not_asked(site: Site) -> None:
    site.machine.version.write_text("Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n")
    assert "gVisor" in watch(Nvml(reading()), site).result.reason


@pytest.mark.parametrize(("minor", "answer"), [(0, Fulfilment.MET), (1, Fulfilment.NOT_MET)])
def test_an_open_device_counts_on_its_own_gpu(site: Site, minor: int, answer: Fulfilment) -> None:
    information = site.proc / "driver/nvidia/gpus/0000:01:00.0/information"
    information.parent.mkdir(parents=True)
    information.write_text("Model: \t\t card\nGPU UUID: \t GPU-a\nDevice Minor: \t 1\n")
    process = site.proc / "12"
    (process / "fd").mkdir(parents=True)
    (process / "fd/4").symlink_to(f"/dev/nvidia{minor}")
    (process / "stat").write_text(f"12 (x) S 1 1 1 {'0 ' * 15}1 0 5 0 0")
    assert watch(Nvml(reading()), site).result.answer is answer


def test_a_file_of_the_driver_for_all_gpus_is_no_use_of_one(site: Site) -> None:
    process = site.proc / "12"
    (process / "fd").mkdir(parents=True)
    (process / "fd/4").symlink_to("/dev/nvidiactl")
    (process / "stat").write_text(f"12 (x) S 1 1 1 {'0 ' * 15}1 0 5 0 0")
    assert watch(Nvml(reading()), site).result.answer is Fulfilment.MET
