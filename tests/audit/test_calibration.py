"""What readings of NVML are worth, on machines of a stand-in for the driver."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from accounts import Holding
from driver_stub import CONTEXT_BYTES, GIB, DriverStub, device, mig, process, uuid
from pytest_tfkernel._child import proc
from pytest_tfkernel.audit.calibration import SENTINEL_BYTES, Platform, calibrate
from pytest_tfkernel.audit.gpu import Nvml
from pytest_tfkernel.model.gpus import Calibration, PerProcess, Sight
from pytest_tfkernel.processes.companions import Helper

Calibrate = Callable[..., Calibration]

GVISOR = "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n"


@pytest.fixture
def machine(tmp_path: Path) -> Platform:
    """One without oddities, at which one looks in haste."""
    clock = iter(range(1000))
    return Platform(tmp_path / "version", tmp_path / "dxg", clock=lambda: float(next(clock)), sleep=lambda _: None)


@pytest.fixture
def calibrated(helper: Callable[..., Helper], machine: Platform) -> Calibrate:
    """Calibrate; the keywords are variables of the environment, and the sentinel has ended afterwards."""

    def calibrated(seconds: float = 10.0, **environment: str) -> Calibration:
        sentinel, nvml = helper("sentinel", **environment), Nvml(helper("nvml", **environment), seconds)
        try:
            return calibrate(nvml, sentinel, lambda: sentinel.process.pid if sentinel.process else 0, machine)
        finally:
            sentinel.close()

    return calibrated


def test_a_sentinel_that_is_seen_shows_everything(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(used=GIB), "driver 570.1")
    assert calibrated() == Calibration(
        Sight.FULL,
        visible=(uuid(0).removeprefix("GPU-"),),
        names=("NVIDIA H100 (stand-in driver)",),
        driver="570.1 (stand-in)",
        per_process=PerProcess.EXACT,
    )
    assert calibrated().sees_processes


@pytest.mark.parametrize(("shown", "per_process"), [("zero", PerProcess.ZERO), ("none", PerProcess.ABSENT)])
def test_the_memory_of_a_process_may_be_missing(
    stub: DriverStub, calibrated: Calibrate, shown: str, per_process: PerProcess
) -> None:
    stub.write(device(), f"process_memory {shown}")
    found = calibrated()
    assert (found.sight, found.per_process, found.advisory) == (Sight.FULL, per_process, "")


class Threads(Platform):
    """The sentinel has the thread that the driver lists."""

    def threads(self, pid: int) -> set[int]:
        return {pid, pid + 1_000_000}


def test_a_thread_of_the_sentinel_is_the_sentinel(
    stub: DriverStub, helper: Callable[..., Helper], machine: Platform
) -> None:
    stub.write(device(), "pids host")
    sentinel = helper("sentinel")
    other = Threads(**dataclasses.asdict(machine))
    found = calibrate(Nvml(helper("nvml")), sentinel, lambda: sentinel.process.pid if sentinel.process else 0, other)
    assert (found.sight, found.thread_ids, found.advisory) == (Sight.FULL, True, "")


THREADS = """
import os, threading
waits = threading.Event()
for _ in range(2):
    threading.Thread(target=waits.wait, daemon=True).start()
print(*os.listdir("/proc/self/task"), flush=True)
input()
"""


def test_threads_are_those_of_the_process(machine: Platform) -> None:
    # Not those of pytest: some of its workers' begin and end between two looks.
    with Popen([sys.executable, "-c", THREADS], stdin=PIPE, stdout=PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        threads = {int(name) for name in other.stdout.readline().split()}
        assert len(threads) == 3
        assert machine.threads(other.pid) == threads
        other.stdin.close()
    assert machine.threads(5_000_000) == {5_000_000}


def test_ids_of_another_namespace_are_named(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(), "pids host")
    found = calibrated()
    assert (found.sight, found.sees_processes, found.advisory) == (Sight.FOREIGN_IDS, False, "")
    assert "--pid=host" in found.reason


def test_a_sentinel_that_is_not_listed_is_invisible(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(), "pids hidden", "driver 535.1")
    found = calibrated()
    assert (found.sight, found.per_process, found.advisory) == (Sight.INVISIBLE, None, "")
    assert found.reason.endswith("update the driver (535.1 (stand-in))")


@pytest.mark.parametrize("pids", ["hidden", "host"])
def test_gvisor_hides_the_sentinel(stub: DriverStub, calibrated: Calibrate, machine: Platform, pids: str) -> None:
    machine.version.write_text(GVISOR)
    stub.write(device(), f"pids {pids}")
    assert calibrated().sight is Sight.GVISOR


def test_a_version_that_cannot_be_read_is_no_gvisor(tmp_path: Path, machine: Platform) -> None:
    assert not machine.is_gvisor()
    machine.version.write_bytes(b"Linux version 6.1 \xff")
    assert not machine.is_gvisor()
    machine.version.write_text(GVISOR)
    assert machine.is_gvisor()


def test_wsl_is_not_even_asked(stub: DriverStub, calibrated: Calibrate, machine: Platform) -> None:
    stub.write(device(), "crash nvmlInitWithFlags")
    machine.wsl.touch()
    assert calibrated().sight is Sight.WSL2


def test_without_a_driver_there_is_none(stub: DriverStub, calibrated: Calibrate) -> None:
    (stub.folder / "machine").unlink()
    found = calibrated()
    assert found.sight is Sight.NO_DRIVER
    assert found.reason.startswith("Driver Not Loaded: ")


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is a driver on this machine")
def test_without_a_library_there_is_no_driver(calibrated: Calibrate) -> None:
    found = calibrated(LD_LIBRARY_PATH="")
    assert (found.sight, found.reason.split(":")[0]) == (Sight.NO_DRIVER, "NVML Shared Library Not Found")


def test_without_bindings_nothing_can_be_read(
    calibrated: Calibrate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pynvml.py").write_text("raise ImportError('no such module')")
    monkeypatch.syspath_prepend(tmp_path)
    found = calibrated()
    assert found.sight is Sight.NO_BINDINGS
    assert found.reason == "nvidia-ml-py is not installed (no such module): pip install nvidia-ml-py"


def test_bindings_that_are_broken_are_an_error(
    calibrated: Calibrate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pynvml.py").write_text("raise RuntimeError('broken')")
    monkeypatch.syspath_prepend(tmp_path)
    found = calibrated()
    assert found.sight is Sight.FAILED
    assert "broken" in found.reason


def test_what_fails_is_told(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(), "error nvmlSystemGetDriverVersion 999")
    assert calibrated() == Calibration(Sight.FAILED, "Unknown Error")


@pytest.mark.parametrize("function", ["nvmlInitWithFlags", "nvmlDeviceGetName"])
def test_nvml_may_hang(stub: DriverStub, calibrated: Calibrate, function: str) -> None:
    stub.write(device(), f"hang {function}")
    assert calibrated(seconds=1.0) == Calibration(Sight.HANGS, "no answer within 1 s")


def test_nvml_may_crash(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(), "crash nvmlDeviceGetName")
    found = calibrated()
    assert found.sight is Sight.FAILED
    assert found.reason.startswith("the nvml helper ended: ")


def test_a_machine_may_have_no_gpu(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write("driver 570.1")
    found = calibrated()
    assert (found.sight, found.reason, found.driver) == (Sight.NO_GPU, "NVML finds none", "570.1 (stand-in)")


@pytest.mark.parametrize("wanted", ["", "none", "-1", "7"])
def test_all_gpus_may_be_hidden(calibrated: Calibrate, wanted: str) -> None:
    found = calibrated(CUDA_VISIBLE_DEVICES=wanted)
    assert (found.sight, found.reason) == (Sight.NO_GPU, "CUDA_VISIBLE_DEVICES hides all of them")


def test_nothing_can_be_held_on_hidden_gpus(helper: Callable[..., Helper]) -> None:
    answer = helper("sentinel", CUDA_VISIBLE_DEVICES="").ask({"op": "hold", "ordinal": 0, "bytes": 1}, 30.0)
    assert answer["kind"] == "failed"
    assert answer["error"].startswith("CudaError: cuInit: ")


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("1", [1]),
        ("1,0", [1, 0]),
        (uuid(1), [1]),
        (f"{uuid(2)},0", [2, 0]),
        ("GPU-00000001", [1]),
    ],
)
def test_the_gpus_that_the_caller_chose_are_used(
    stub: DriverStub, calibrated: Calibrate, wanted: str, seen: list[int]
) -> None:
    # Nothing can be seen on the others.
    others = [process(7, device=number) for number in range(3) if number != seen[0]]
    stub.write(device(0), device(1), device(2), *others)
    found = calibrated(CUDA_VISIBLE_DEVICES=wanted)
    assert (found.sight, found.advisory) == (Sight.FULL, "")
    assert found.visible == tuple(uuid(number).removeprefix("GPU-") for number in seen)


@pytest.mark.parametrize("wanted", [{}, {"CUDA_VISIBLE_DEVICES": uuid(8, "MIG")}])
def test_an_instance_is_a_gpu(stub: DriverStub, calibrated: Calibrate, wanted: dict[str, str]) -> None:
    stub.write(device(0, mig="on"), mig(7), mig(8), process(11, mig=0 if wanted else 1))
    found = calibrated(**wanted)
    name = uuid(8 if wanted else 7, "MIG")
    assert (found.sight, found.advisory) == (Sight.FULL, "")
    assert found.visible == (name.removeprefix("MIG-"),)
    assert found.notes == (f"MIG: kernels are on instance {name}",)


def test_a_gpu_that_nvml_does_not_know_is_told(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(0), "error nvmlDeviceGetUUID 15")
    found = calibrated()
    assert (found.sight, found.notes) == (Sight.FAILED, ("GPU 0: GPU is lost",))
    assert "doesn't know of GPU" in found.reason


def test_a_list_that_cannot_be_read_is_told(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(), "error nvmlDeviceGetComputeRunningProcesses_v3 4")
    found = calibrated()
    assert (found.sight, found.reason) == (
        Sight.FAILED,
        "the list of processes can't be read: Insufficient Permissions",
    )


@pytest.mark.parametrize("function", ["cuInit", "cuDevicePrimaryCtxRetain", "cuMemAlloc_v2"])
def test_a_context_may_be_impossible(stub: DriverStub, calibrated: Calibrate, function: str) -> None:
    stub.write(device(), f"error {function} 2", "driver 570.1")
    found = calibrated()
    assert (found.sight, found.driver) == (Sight.NO_CONTEXT, "570.1 (stand-in)")
    assert function in found.reason


def test_a_gpu_may_be_taken(stub: DriverStub, calibrated: Calibrate, hold: Callable[[], Holding]) -> None:
    stub.write(device(compute_mode=3))
    hold()
    assert calibrated().sight is Sight.NO_CONTEXT


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is a driver on this machine")
def test_cuda_may_be_missing(stub: DriverStub, calibrated: Calibrate, tmp_path: Path) -> None:
    # A container may have been given the tools of the driver only.
    shutil.copy(stub.libraries / "libnvidia-ml.so.1", tmp_path)
    found = calibrated(LD_LIBRARY_PATH=str(tmp_path))
    assert found.sight is Sight.NO_CONTEXT
    assert "libcuda.so.1" in found.reason


def test_a_shared_gpu_has_no_memory_to_go_by(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(used=GIB), process(7), process(8, kind="graphics"))
    found = calibrated()
    assert (found.sight, found.advisory) == (Sight.FULL, "2 other process(es) use this GPU")


@pytest.mark.parametrize("pids", ["own", "host", "hidden"])
def test_the_sentinel_is_no_other_process(stub: DriverStub, calibrated: Calibrate, pids: str) -> None:
    stub.write(device(), process(7), f"pids {pids}")
    assert calibrated().advisory == "1 other process(es) use this GPU"


def test_a_gpu_whose_memory_is_that_of_the_machine_has_none_to_go_by(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(name="NVIDIA GH200 480GB"))
    assert calibrated().advisory == "NVIDIA GH200 480GB (stand-in driver) shares its memory with the machine"


def test_memory_may_be_unavailable(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(memory=False))
    found = calibrated()
    assert (found.sight, found.advisory) == (Sight.FULL, "the memory in use can't be read: Not Supported")


def test_memory_that_does_not_rise_is_no_evidence(
    stub: DriverStub, calibrated: Calibrate, helper: Callable[..., Helper]
) -> None:
    class Constant:
        """NVML that sees the process, and no memory."""

        def __init__(self, helper: Helper) -> None:
            self._helper = helper

        def ask(self, message: Mapping[str, object], seconds: float) -> dict[str, Any]:
            answer = self._helper.ask(message, seconds)
            answer["devices"][0]["memory"]["used"] = 5
            return answer

    sentinel = helper("sentinel")
    pid_of = lambda: sentinel.process.pid if sentinel.process else 0  # noqa: E731
    found = calibrate(Nvml(Constant(helper("nvml"))), sentinel, pid_of)
    assert (found.sight, found.per_process) == (Sight.FULL, PerProcess.EXACT)
    assert found.advisory == f"{SENTINEL_BYTES} bytes were allocated, and 0 more are in use"


def test_mps_is_noted(stub: DriverStub, calibrated: Calibrate) -> None:
    stub.write(device(), process(7, kind="mps"))
    found = calibrated()
    assert (found.sight, found.mps) == (Sight.FULL, True)
    assert found.notes[0].startswith("MPS is running")
    stub.write(device(), process(7))
    assert not calibrated().mps


@pytest.mark.parametrize("lie", ["garbage", "lie count=0", "lie count=9", "lie filled=1"])
def test_lists_may_be_wrong(stub: DriverStub, calibrated: Calibrate, lie: str) -> None:
    stub.write(device(), lie)
    found = calibrated()
    # A list that claims to be empty shows nobody.
    assert (found.sight is Sight.FULL) is (lie != "lie count=0")
    assert found.advisory == ""


def test_the_sentinel_is_waited_for(stub: DriverStub, helper: Callable[..., Helper], machine: Platform) -> None:
    stub.write(device(), "pids hidden")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            stub.write(device())

    patient = dataclasses.replace(machine, clock=lambda: 0.0, sleep=sleep)
    sentinel = helper("sentinel")
    found = calibrate(Nvml(helper("nvml")), sentinel, lambda: sentinel.process.pid if sentinel.process else 0, patient)
    assert (found.sight, len(slept)) == (Sight.FULL, 2)


def test_the_end_of_the_sentinel_frees_the_gpu(stub: DriverStub, calibrated: Calibrate) -> None:
    assert calibrated().sight is Sight.FULL
    assert [pid for pid in stub.contexts() if proc.start_time(pid) is not None] == []
    assert CONTEXT_BYTES > SENTINEL_BYTES
