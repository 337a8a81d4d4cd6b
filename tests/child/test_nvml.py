"""The reader of NVML, as a process and by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from driver_stub import CONTEXT_BYTES, GIB, DriverStub, build, device, mig, process, uuid
from pytest_tfkernel._child import nvml
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.processes.companions import Helper

Read = Callable[[DriverStub], Any]

FOLDER = Path(nvml.__file__).parent
CONTEXT = """
import ctypes
cuda, context = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p()
assert cuda.cuInit(0) == 0
assert cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
print(0, flush=True)
input()
"""
# Two readings in one process; before the second one, the machine is as the second argument says.
TWICE = f"""
import json, os, sys, types
package = types.ModuleType("_tfkernel_child")
package.__path__ = [{str(FOLDER)!r}]
sys.modules["_tfkernel_child"] = package
from _tfkernel_child.nvml import Reader
reader = Reader()
first = reader.read()
with open(os.environ["TFKERNEL_STUB"] + "/machine", "w") as file:
    file.write(sys.argv[1])
print(json.dumps([first, reader.read()]))
"""


@pytest.fixture
def helper(launcher: Launcher) -> Iterator[Callable[[DriverStub], Helper]]:
    """The reader in a process that sees a machine."""
    helpers: list[Helper] = []

    def helper(stub: DriverStub) -> Helper:
        helpers.append(Helper("nvml", launcher.supervisor, launcher.new_lease, os.environ | stub.environment))
        return helpers[-1]

    yield helper
    for one in helpers:
        one.close()


@pytest.fixture
def read(helper: Callable[[DriverStub], Helper]) -> Callable[[DriverStub], Any]:
    """One reading by a new process."""
    return lambda stub: helper(stub).ask({"op": "read"}, 30.0)


def test_everything_is_described(stub: DriverStub, helper: Callable[[DriverStub], Helper]) -> None:
    stub.write(device(total=80 * GIB, used=GIB, reserved=7), "driver 570.1", "cuda 12080")
    one = helper(stub)
    for number in range(2):
        assert one.ask({"op": "read"}, 30.0) == {
            "kind": "reading",
            "driver": "570.1 (stand-in)",
            "cuda": 12080,
            "devices": [
                {
                    "index": 0,
                    "uuid": uuid(0),
                    "name": "NVIDIA H100 (stand-in driver)",
                    "memory": {"total": 80 * GIB, "used": GIB},
                    "processes": [],
                    "mig": None,
                    "instances": [],
                }
            ],
            "id": number,
        }


def test_it_ends_with_its_channel(
    stub: DriverStub, helper: Callable[[DriverStub], Helper], await_death: Callable[[int], None]
) -> None:
    one = helper(stub)
    one.ask({"op": "read"}, 30.0)
    pid = one.process.pid if one.process is not None else 0
    assert one._companion is not None
    one._companion.channel.close()
    await_death(pid)


def test_its_children_do_not_have_its_channel(stub: DriverStub, helper: Callable[[DriverStub], Helper]) -> None:
    one = helper(stub)
    one.ask({"op": "read"}, 30.0)
    assert one.process is not None
    flags = Path(f"/proc/{one.process.pid}/fdinfo/{nvml.CHANNEL}").read_text(encoding="ascii")
    assert int(flags.split("flags:")[1].split()[0], 8) & os.O_CLOEXEC


def test_all_kinds_of_processes_are_listed(stub: DriverStub, read: Read) -> None:
    stub.write(device(), process(7), process(8, kind="graphics"), process(9, kind="mps", memory=None))
    assert read(stub)["devices"][0]["processes"] == [
        {"pid": 7, "memory": GIB, "kind": "compute"},
        {"pid": 8, "memory": GIB, "kind": "graphics"},
        {"pid": 9, "memory": None, "kind": "mps"},
    ]


def test_a_context_is_listed(stub: DriverStub, read: Read) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CONTEXT], env=os.environ | stub.environment, stdin=-1, stdout=-1
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        (found,) = read(stub)["devices"]
        child.kill()
    assert found["processes"] == [{"pid": child.pid, "memory": CONTEXT_BYTES, "kind": "compute"}]
    assert found["memory"]["used"] == CONTEXT_BYTES


@pytest.mark.parametrize(
    ("mode", "expected", "instances"),
    [("unsupported", None, []), ("off", False, []), ("on", True, [uuid(7, "MIG"), uuid(8, "MIG")])],
)
def test_instances_are_described(
    stub: DriverStub, read: Read, mode: str, expected: bool | None, instances: list[str]
) -> None:
    stub.write(device(mig=mode), mig(7), mig(8, used=5000), process(11, mig=1))
    (found,) = read(stub)["devices"]
    assert (found["mig"], [one["uuid"] for one in found["instances"]]) == (expected, instances)
    if instances:
        last = found["instances"][1]
        assert (last["index"], last["mig"], last["instances"]) == (1, None, [])
        assert last["memory"]["used"] == 5000
        assert [one["pid"] for one in last["processes"]] == [11]


def test_each_failure_is_told_where_it_belongs(stub: DriverStub, read: Read) -> None:
    lists = "nvmlDeviceGetComputeRunningProcesses_v3"
    stub.write(device(memory=False), f"error {lists} 999")
    (found,) = read(stub)["devices"]
    assert found["memory"] == {"error": "Not Supported", "code": 3}
    assert found["processes"] == {"error": "Unknown Error", "code": 999}


@pytest.mark.parametrize(
    ("error", "index"), [("error nvmlDeviceGetUUID 15", 0), ("error nvmlDeviceGetHandleByIndex_v2 15", 0)]
)
def test_a_device_that_cannot_be_described_is_told(stub: DriverStub, read: Read, error: str, index: int) -> None:
    stub.write(device(), error)
    assert read(stub)["devices"] == [{"index": index, "error": "GPU is lost", "code": 15}]


@pytest.mark.parametrize("kind", ["Graphics", "MPSCompute"])
@pytest.mark.parametrize("code", [3, 13])
def test_kinds_of_processes_may_be_unknown_to_the_driver(stub: DriverStub, read: Read, kind: str, code: int) -> None:
    stub.write(device(), process(7), f"error nvmlDeviceGet{kind}RunningProcesses_v3 {code}")
    assert [one["pid"] for one in read(stub)["devices"][0]["processes"]] == [7]


def test_functions_may_be_missing(stub: DriverStub, read: Read, tmp_path: Path) -> None:
    missing = [f"nvmlDeviceGet{name}" for name in ("MPSComputeRunningProcesses_v3", "MemoryInfo_v2", "MigMode")]
    stub.write(device(), process(7))
    (found,) = read(DriverStub(build(tmp_path / "libraries", missing), stub.folder))["devices"]
    assert [one["pid"] for one in found["processes"]] == [7]
    # The first version would count what the driver reserves.
    assert found["memory"]["code"] == 13
    assert found["mig"] is None


def test_lists_of_a_driver_that_is_too_old_are_an_error(stub: DriverStub, read: Read, tmp_path: Path) -> None:
    names = [f"nvmlDeviceGet{name}RunningProcesses_v3" for name in ("Compute", "Graphics", "MPSCompute")]
    (found,) = read(DriverStub(build(tmp_path / "libraries", names), stub.folder))["devices"]
    assert found["processes"]["error"]
    assert found["memory"] == {"total": 80 * GIB, "used": 0}


@pytest.mark.parametrize(
    ("lie", "pids"),
    [("lie count=0", []), ("lie count=9", [7]), ("lie filled=2", [7, 0]), ("garbage", [7, 0, 0, 0])],
)
def test_lists_are_told_as_they_are(stub: DriverStub, read: Read, lie: str, pids: list[int]) -> None:
    stub.write(device(), process(7), lie)
    assert [one["pid"] for one in read(stub)["devices"][0]["processes"]] == pids


def test_a_list_that_always_grows_is_an_error(stub: DriverStub, read: Read) -> None:
    stub.write(device(), *map(process, range(11, 20)), "lie count=1")
    assert read(stub)["devices"][0]["processes"] == {"error": "Insufficient Size", "code": 7}


@pytest.mark.parametrize(
    ("line", "code"), [("error nvmlInitWithFlags 18", 18), ("error nvmlDeviceGetCount_v2 999", 999)]
)
def test_a_failure_of_everything_has_its_code(stub: DriverStub, read: Read, line: str, code: int) -> None:
    stub.write(device(), line)
    answer = read(stub)
    assert (answer["kind"], answer["code"]) == ("failed", code)


def test_without_bindings_it_says_so(stub: DriverStub, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    (stub.folder / "pynvml.py").write_text("raise ImportError('no such module')")
    monkeypatch.syspath_prepend(stub.folder)
    answer = read(stub)
    assert (answer["code"], answer["error"]) == (nvml.NO_BINDINGS, "nvidia-ml-py is not installed (no such module)")


@pytest.mark.parametrize(
    ("before", "after"), [("error nvmlDeviceGetCount_v2 999", ""), ("", "error nvmlDeviceGetCount_v2 999")]
)
def test_a_driver_may_come_and_go(stub: DriverStub, before: str, after: str) -> None:
    stub.write(device(), before)
    done = subprocess.run(
        [sys.executable, "-c", TWICE, f"{device()}\n{after}\n"],
        env=os.environ | stub.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    kinds = [answer["kind"] for answer in json.loads(done.stdout)]
    assert kinds == ["failed" if line else "reading" for line in (before, after)]


def test_the_library_is_initialised_once_and_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    counts: list[object] = [0, 0, RuntimeError("gone"), 0]

    def count() -> object:
        found = counts.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    bindings = types.SimpleNamespace(
        nvmlInit=lambda: calls.append("init"),
        nvmlShutdown=lambda: calls.append("shutdown"),
        nvmlSystemGetDriverVersion=lambda: b"570.1",
        nvmlSystemGetCudaDriverVersion_v2=lambda: 12080,
        nvmlDeviceGetCount=count,
    )
    monkeypatch.setitem(sys.modules, "pynvml", bindings)
    reader = nvml.Reader()
    kinds = [reader.read()["kind"] for _ in range(4)]
    assert kinds == ["reading", "reading", "failed", "reading"]
    assert calls == ["init", "shutdown", "init"]
