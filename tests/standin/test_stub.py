from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from driver_stub import CONTEXT_BYTES, GIB, DriverStub, build, device, mig, process, uuid

# What a child process knows before its code: pynvml, and libcuda with a context on its first device.
NVML = """
import json, pynvml as nvml
nvml.nvmlInit()
handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
def listed(handle, kind="Compute"):
    return [(one.pid, one.usedGpuMemory) for one in getattr(nvml, f"nvmlDeviceGet{kind}RunningProcesses")(handle)]
def refused(call, *arguments):
    try:
        call(*arguments)
    except nvml.NVMLError as error:
        return type(error).__name__
def tell(*values):
    print(json.dumps(values))
"""
CUDA = """
import ctypes, json, os
cuda = ctypes.CDLL("libcuda.so.1")
def tell(*values):
    print(json.dumps(values), flush=True)
"""
CONTEXT = f"""{CUDA}
context, address = ctypes.c_void_p(), ctypes.c_uint64()
def allocate(size):
    return cuda.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(size))
assert cuda.cuInit(0) == 0
assert cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
assert cuda.cuCtxSetCurrent(context) == 0
"""
KERNELS = f"""{CONTEXT}
image = b".version 6.0 .target sm_50 .visible .entry store_null() {{ret;}} .visible .entry spin() {{ret;}}"
module = ctypes.c_void_p()
assert cuda.cuModuleLoadData(ctypes.byref(module), image) == 0
def find(name):
    function = ctypes.c_void_p()
    return cuda.cuModuleGetFunction(ctypes.byref(function), module, name), function
def launch(name):
    return cuda.cuLaunchKernel(find(name)[1], 1, 1, 1, 1, 1, 1, 0, None, None, None)
"""
VISIBLE = f"""{CUDA}
def uuid(ordinal):
    raw = (ctypes.c_ubyte * 16)()
    assert cuda.cuDeviceGetUuid_v2(raw, ordinal) == 0
    return bytes(raw).hex()
count = ctypes.c_int()
started = cuda.cuInit(0)
cuda.cuDeviceGetCount(ctypes.byref(count))
tell(started, [uuid(ordinal) for ordinal in range(count.value)])
"""
WAIT = "\ntell(0)\ninput()\n"


def run(stub: DriverStub, code: str, **environment: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=surroundings(stub) | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def running(stub: DriverStub, code: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """A process that has run the code, what it told, and its end."""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=surroundings(stub),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        try:
            yield child, json.loads(child.stdout.readline())
        finally:
            child.kill()


def surroundings(stub: DriverStub) -> dict[str, str]:
    ours = {name: text for name, text in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    return ours | stub.environment


def kill(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()


def listed(stub: DriverStub) -> Any:
    """Who is listed on the first device, and its memory in use."""
    processes, used = run(stub, f"{NVML}\ntell(listed(handles[0]), nvml.nvmlDeviceGetMemoryInfo(handles[0]).used)")
    return processes, used


def test_several_gpus_are_told_apart(stub: DriverStub) -> None:
    stub.write("driver 535.1.2", device(0), device(1, name="NVIDIA A100", compute_mode=3))
    code = """
    one = handles[1]
    by_uuid = nvml.nvmlDeviceGetHandleByUUID(nvml.nvmlDeviceGetUUID(one))
    tell(nvml.nvmlSystemGetDriverVersion(), [nvml.nvmlDeviceGetUUID(handle) for handle in handles],
         nvml.nvmlDeviceGetName(one), nvml.nvmlDeviceGetIndex(by_uuid), nvml.nvmlDeviceGetMinorNumber(by_uuid),
         nvml.nvmlDeviceGetComputeMode(one), nvml.nvmlSystemGetCudaDriverVersion_v2())
    """
    told = run(stub, f"{NVML}\nif True:{code}")
    assert told == ["535.1.2 (stand-in)", [uuid(0), uuid(1)], "NVIDIA A100 (stand-in driver)", 1, 1, 3, 13000]


def test_processes_are_listed_by_device_and_kind(stub: DriverStub) -> None:
    stub.write(device(0), device(1), process(11), process(12, kind="graphics"), process(13, kind="mps", device=1))
    told = run(stub, NVML + '\ntell(*[listed(one, kind) for one in handles for kind in ("Compute", "Graphics")])')
    assert told == [[[11, GIB]], [[12, GIB]], [], []]
    assert run(stub, f"{NVML}\ntell(*[listed(one, 'MPSCompute') for one in handles])") == [[], [[13, GIB]]]


def test_memory_of_a_process_can_be_none(stub: DriverStub) -> None:
    stub.write(device(), process(11, memory=None))
    assert listed(stub)[0] == [[11, None]]


def test_memory_versions_differ_in_what_is_reserved(stub: DriverStub) -> None:
    stub.write(device(total=1000, used=100, reserved=30))
    code = """
    one, two = (nvml.nvmlDeviceGetMemoryInfo(handles[0], version) for version in (None, nvml.nvmlMemory_v2))
    tell([one.total, one.free, one.used], [two.total, two.reserved, two.free, two.used])
    """
    assert run(stub, f"{NVML}\nif True:{code}") == [[1000, 870, 130], [1000, 30, 870, 100]]


def test_memory_can_be_unavailable(stub: DriverStub) -> None:
    stub.write(device(memory=False))
    assert run(stub, f"{NVML}\ntell(refused(nvml.nvmlDeviceGetMemoryInfo, handles[0]))") == ["NVMLError_NotSupported"]


def test_mig_instances_have_handles_of_their_own(stub: DriverStub) -> None:
    stub.write(device(mig="on"), mig(7), mig(8, total=5000), process(11, mig=1))
    code = """
    found = [nvml.nvmlDeviceGetMigDeviceHandleByIndex(handles[0], index) for index in range(2)]
    parent = nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(found[1])
    tell(nvml.nvmlDeviceGetMigMode(handles[0]), nvml.nvmlDeviceGetMaxMigDeviceCount(handles[0]),
         [nvml.nvmlDeviceGetUUID(one) for one in found], [listed(one) for one in found], listed(handles[0]),
         nvml.nvmlDeviceGetMemoryInfo(found[1]).total, nvml.nvmlDeviceGetUUID(parent),
         [nvml.nvmlDeviceIsMigDeviceHandle(one).value for one in (parent, *found)],
         refused(nvml.nvmlDeviceGetMigDeviceHandleByIndex, handles[0], 2))
    """
    here = [[11, GIB]]
    uuids = [uuid(7, "MIG"), uuid(8, "MIG")]
    assert run(stub, f"{NVML}\nif True:{code}") == [
        [1, 1], 7, uuids, [[], here], here, 5000, uuid(0), [0, 1, 1], "NVMLError_NotFound"
    ]  # fmt: skip
    stub.write(device())
    assert run(stub, f"{NVML}\ntell(refused(nvml.nvmlDeviceGetMigMode, handles[0]))") == ["NVMLError_NotSupported"]


def test_an_error_is_that_of_one_function(stub: DriverStub) -> None:
    stub.write(device(), "error nvmlDeviceGetName 15", "error cuInit 100")
    code = f"{NVML}\ntell(refused(nvml.nvmlDeviceGetName, handles[0]), refused(nvml.nvmlDeviceGetUUID, handles[0]))"
    assert run(stub, code) == ["NVMLError_GpuIsLost", None]
    assert run(stub, f"{CUDA}\ntell(cuda.cuInit(0))") == [100]


def test_the_machine_can_change_while_a_process_looks(stub: DriverStub) -> None:
    stub.write(device(0), device(1))
    look = "print(json.dumps([nvml.nvmlDeviceGetCount(), refused(nvml.nvmlDeviceGetName, handles[1])]), flush=True)"
    with running(stub, f"{NVML}\n{look}\ninput()\n{look}") as (child, told):
        assert told == [2, None]
        stub.write(device(0))
        assert json.loads(child.communicate("\n", timeout=30)[0]) == [1, "NVMLError_GpuIsLost"]


def test_without_a_machine_no_driver_is_loaded(stub: DriverStub) -> None:
    (stub.folder / "machine").unlink()
    code = "import pynvml\ntry:\n    pynvml.nvmlInit()\nexcept pynvml.NVMLError_DriverNotLoaded:\n    print(9)"
    assert run(stub, code) == 9
    assert run(stub, f"{CUDA}\ntell(cuda.cuInit(0))") == [100]


def test_a_hanging_function_never_returns(stub: DriverStub) -> None:
    stub.write(device(), "hang nvmlDeviceGetComputeRunningProcesses_v3")
    with running(stub, f"{NVML}\nprint(0, flush=True)\nlisted(handles[0])") as (child, _):
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.5)
        kill(child)
        assert child.returncode == -signal.SIGKILL


def test_a_crashing_function_aborts(stub: DriverStub) -> None:
    stub.write(device(), "crash nvmlDeviceGetName")
    with running(stub, f"{NVML}\nprint(0, flush=True)\nnvml.nvmlDeviceGetName(handles[0])") as (child, _):
        assert child.wait(30) == -signal.SIGABRT


def test_a_missing_function_is_not_found(stub: DriverStub, tmp_path: Path) -> None:
    libraries = build(tmp_path / "libraries", missing=("nvmlDeviceGetName", "cuInit"))
    old = DriverStub(libraries, stub.folder)
    assert run(old, f"{NVML}\ntell(refused(nvml.nvmlDeviceGetName, handles[0]))") == ["NVMLError_FunctionNotFound"]
    assert run(old, f"{CUDA}\ntell(hasattr(cuda, 'cuInit'), hasattr(cuda, 'cuDeviceGet'))") == [False, True]


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ("lie count=0", [[]]),
        ("lie count=9", [[[11, GIB]]]),
        ("lie filled=2", [[[11, GIB], [0, 0]]]),
        ("garbage", [[[11, GIB], [0, None]]]),
    ],
)
def test_process_lists_can_be_wrong(stub: DriverStub, lie: str, told: object) -> None:
    stub.write(device(), process(11), lie)
    assert run(stub, f"{NVML}\ntell(listed(handles[0]))") == told


def test_a_list_that_grew_is_refused(stub: DriverStub) -> None:
    stub.write(device(), *map(process, range(11, 20)), "lie count=1")
    assert run(stub, f"{NVML}\ntell(refused(listed, handles[0]))") == ["NVMLError_InsufficientSize"]


def test_a_context_is_listed_until_it_is_released(stub: DriverStub) -> None:
    stub.write(device(used=1000))
    release = "allocate(1)\ncuda.cuDevicePrimaryCtxRelease_v2(0)"
    with running(stub, f"{CONTEXT}\nallocate(24)\n{WAIT}\n{release}\n{WAIT}") as (child, _):
        assert listed(stub) == ([[child.pid, CONTEXT_BYTES + 24]], CONTEXT_BYTES + 1024)
        assert stub.contexts() == [child.pid]
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("\n")
        child.stdin.flush()
        child.stdout.readline()
        assert listed(stub) == ([], 1000)


@pytest.mark.parametrize("kind", ["own", "host", "thread", "hidden"])
def test_pids_are_shown_as_wished(stub: DriverStub, kind: str) -> None:
    stub.write(device(), f"pids {kind}")
    other = "import threading\nthread = threading.Thread(target=input)\nthread.start()\ntell(thread.native_id)"
    with running(stub, f"{CONTEXT}\n{other}") as (child, told):
        shown = {"own": [child.pid], "host": [child.pid + 1_000_000], "thread": told, "hidden": []}
        processes, used = listed(stub)
        assert [pid for pid, _ in processes] == shown[kind]
        assert used == CONTEXT_BYTES


@pytest.mark.parametrize(("kind", "memory"), [("exact", CONTEXT_BYTES), ("zero", 0), ("none", None)])
def test_process_memory_is_shown_as_wished(stub: DriverStub, kind: str, memory: int | None) -> None:
    stub.write(device(), f"process_memory {kind}")
    with running(stub, CONTEXT + WAIT) as (child, _):
        assert listed(stub) == ([[child.pid, memory]], CONTEXT_BYTES)


def test_the_context_of_a_dead_process_is_gone(stub: DriverStub) -> None:
    with running(stub, CONTEXT + WAIT) as (child, _):
        kill(child)
        assert stub.contexts() == [child.pid]
        assert listed(stub) == ([], 0)
        assert stub.contexts() == []


def test_the_context_of_a_zombie_is_gone(stub: DriverStub) -> None:
    with running(stub, CONTEXT + WAIT) as (child, _):
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert listed(stub) == ([], 0)


def test_a_dead_context_lingers(stub: DriverStub) -> None:
    stub.write(device(), "linger 3600")
    with running(stub, CONTEXT + WAIT) as (child, _):
        kill(child)
        assert listed(stub) == ([[child.pid, CONTEXT_BYTES]], CONTEXT_BYTES)
        stub.write(device(), "linger 0.01")
        assert listed(stub) == ([], 0)


def test_memory_of_a_dead_context_falls(stub: DriverStub) -> None:
    stub.write(device(), "fall 20")
    with running(stub, CONTEXT + WAIT) as (child, _):
        kill(child)
        first, second = listed(stub), listed(stub)
        assert first[0] == second[0] == []
        assert CONTEXT_BYTES >= first[1] > second[1] > 0
        stub.write(device(), "fall 0.01")
        assert listed(stub) == ([], 0)


def test_an_inherited_handle_keeps_the_context_of_the_dead(
    stub: DriverStub, eventually: Callable[[Callable[[], object]], None]
) -> None:
    stub.write(device(), "handles")
    heir = "import subprocess\nheir = subprocess.Popen(['sleep', '61'], close_fds=False, stdout=2)\ntell(heir.pid)\ninput()"
    with running(stub, CONTEXT + heir) as (child, (pid,)), running(stub, CONTEXT + WAIT) as (neighbour, _):
        try:
            kill(child)
            assert sorted(listed(stub)[0]) == sorted([[child.pid, CONTEXT_BYTES], [neighbour.pid, CONTEXT_BYTES]])
        finally:
            os.kill(pid, signal.SIGKILL)
        # The handle of the neighbour is another one.
        eventually(lambda: listed(stub)[0] == [[neighbour.pid, CONTEXT_BYTES]])


def test_memory_beyond_the_device_is_refused(stub: DriverStub) -> None:
    stub.write(device(total=CONTEXT_BYTES + 1000, used=100))
    code = """
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    told = [allocate(901), allocate(600), cuda.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total)), free.value]
    tell(*told, allocate(400), cuda.cuMemFree_v2(address), cuda.cuMemFree_v2(address), allocate(900))
    """
    assert run(stub, f"{CONTEXT}\nif True:{code}") == [2, 0, 0, 300, 2, 0, 1, 0]


def test_what_is_written_to_memory_can_be_read(stub: DriverStub) -> None:
    code = """
    word, size = ctypes.c_double(2.0), ctypes.c_size_t(8)
    allocate(8)
    wrote = cuda.cuMemcpyHtoD_v2(address, ctypes.byref(word), size)
    word.value = 0
    read = cuda.cuMemcpyDtoH_v2(ctypes.byref(word), address, size)
    tell(wrote, read, word.value, cuda.cuMemcpyDtoH_v2(ctypes.byref(word), ctypes.c_uint64(4096), size))
    """
    assert run(stub, f"{CONTEXT}\nif True:{code}") == [0, 0, 2.0, 1]


def test_a_context_beyond_the_device_is_refused(stub: DriverStub) -> None:
    stub.write(device(total=CONTEXT_BYTES, used=1))
    code = "cuda.cuInit(0)\ntell(cuda.cuDevicePrimaryCtxRetain(ctypes.byref(ctypes.c_void_p()), 0))"
    assert run(stub, f"{CUDA}\n{code}") == [2]
    stub.write(device(compute_mode=2))
    assert run(stub, f"{CUDA}\n{code}") == [46]


def test_an_exclusive_device_has_one_context(stub: DriverStub) -> None:
    stub.write(device(compute_mode=3))
    code = "cuda.cuInit(0)\ntell(cuda.cuDevicePrimaryCtxRetain(ctypes.byref(ctypes.c_void_p()), 0))"
    with running(stub, CONTEXT + WAIT):
        assert run(stub, f"{CUDA}\n{code}") == [46]
    assert run(stub, f"{CUDA}\n{code}") == [0]


def test_an_illegal_address_is_sticky(stub: DriverStub) -> None:
    code = """
    name = ctypes.c_char_p()
    told = [find(b"store")[0], launch(b"store_null"), cuda.cuCtxSynchronize(), allocate(1)]
    cuda.cuGetErrorName(700, ctypes.byref(name))
    tell(*told, name.value.decode())
    """
    assert run(stub, f"{KERNELS}\nif True:{code}") == [500, 0, 700, 700, "CUDA_ERROR_ILLEGAL_ADDRESS"]


def test_a_spinning_kernel_is_never_done(stub: DriverStub) -> None:
    with running(stub, f"{KERNELS}\ntell(launch(b'spin'))\ncuda.cuCtxSynchronize()") as (child, told):
        assert told == [0]
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.5)


def test_a_fork_cannot_use_the_driver(stub: DriverStub) -> None:
    code = f"{CONTEXT}\nif os.fork():\n    os.wait()\nelse:\n    tell(cuda.cuInit(0), allocate(1))"
    assert run(stub, code) == [3, 3]


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("1,0", [1, 0]),
        ("1,9,0", [1]),
        ("1,-1,0", [1]),
        ("", []),
        ("none", []),
        (uuid(2), [2]),
        ("GPU-00000001,0", [1, 0]),
        ("0,GPU-000", [0]),
    ],
)
def test_visible_devices_are_chosen_by_the_environment(stub: DriverStub, wanted: str, seen: list[int]) -> None:
    stub.write(device(0), device(1), device(2))
    uuids = [uuid(number).removeprefix("GPU-").replace("-", "") for number in seen]
    assert run(stub, VISIBLE, CUDA_VISIBLE_DEVICES=wanted) == [0 if seen else 100, uuids]


def test_a_gpu_in_mig_mode_is_its_first_instance(stub: DriverStub) -> None:
    stub.write(device(0, mig="on"), mig(7), mig(8), device(1))
    assert [one[:8] for one in run(stub, VISIBLE)[1]] == ["00000007", "00000001"]
    assert [one[:8] for one in run(stub, VISIBLE, CUDA_VISIBLE_DEVICES=uuid(8, "MIG"))[1]] == ["00000008"]
