"""The gate: what can't be seen is told, and GPU memory that pytest keeps is no leak."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from driver_stub import CONTEXT_BYTES, DriverStub, device
from gated import Run, blamed, section
from inner import Inner, counts


class TestWhatCantBeSeen:
    def test_is_counted_with_its_reason(self, run: Run, gated: Inner) -> None:
        gated.write(
            "blinded.py",
            """
from pytest_tfkernel._child import system

def refuse(folder): raise PermissionError(13, "Permission denied")

system.inodes = refuse
""",
        )
        result = run("def test_mine(): pass\n", "-p", "blinded")
        assert counts(result) == {"passed": 1}
        assert section(result) == [
            "not looked at, 1 x: /proc: Permission denied",
            "not looked at, 1 x: /dev/shm: Permission denied",
        ]

    def test_error_of_ours_reaches_no_test(self, run: Run, gated: Inner) -> None:
        gated.write(
            "broken.py",
            """
from pytest_tfkernel.gate.judge import AccountJudge

def judge(self, accounts): raise KeyError("ours")

AccountJudge.judge = judge
""",
        )
        result = run("def test_mine(): sleeper()\n", "-p", "broken")
        assert counts(result) == {"passed": 1}
        assert "not looked at, 1 x: what test_mine.py::test_mine left: KeyError: 'ours'" in section(result)

    def test_limit_that_leaves_no_room_is_told(self, run: Run, gated: Inner) -> None:
        gated.write("limited.py", "import resource\nresource.setrlimit(10, (1000, 1000))\n")
        result = run("def test_mine(): sleeper(), tempfile.mkdtemp()\n", "-p", "limited")
        assert blamed(result) == ["test_mine"]
        owner, process, file, blind = section(result)
        assert owner == "test_mine.py::test_mine"
        assert process.startswith("  left behind: process ")
        assert file.startswith("  left behind: temporary-file ")
        words = "the hard limit on file locks is 1000: raise it (ulimit -H -x unlimited)"
        assert blind == f"not looked at, 1 x: processes whose parents have ended: {words}"


# Devices are looked for in the folder of the stand-in; the test makes a context there as TensorFlow would.
GPU = """
import os, re
from pathlib import Path
from pytest_tfkernel.audit.probes import PROBES
from pytest_tfkernel.audit.probes.devices import Devices
from pytest_tfkernel.gate import ground
from pytest_tfkernel.plugin.gate import gpu

folder = Path(os.environ["TFKERNEL_STUB"])
(folder / "nvidia0").touch()
ground.GPUS = re.compile(re.escape(f"{folder}/nvidia"))
for probe in PROBES:
    if isinstance(probe, Devices):
        probe._pattern = ground.GPUS
lines = gpu.lines
gpu.lines = lambda config, devices: lines(config, devices, folder)
"""
HOLDS = """
def test_uses_the_gpu():
    cuda, context, pointer = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p(), ctypes.c_uint64()
    assert cuda.cuInit(0) == 0
    assert cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
    assert cuda.cuCtxSetCurrent(context) == 0
    assert cuda.cuMemAlloc_v2(ctypes.byref(pointer), ctypes.c_size_t(256 << 20)) == 0
    kept.append(open(os.environ["TFKERNEL_STUB"] + "/nvidia0"))

def test_clean(): pass
"""


class TestGpu:
    @pytest.fixture
    def driver(self, gated: Inner, libraries: Path, tmp_path: Path) -> dict[str, str]:
        """The environment of a machine with one GPU."""
        (tmp_path / "machine").mkdir()
        stub = DriverStub(libraries, tmp_path / "machine")
        stub.write(device())
        gated.write("gpu.py", GPU)
        return stub.environment

    @pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["alone", "worker"])
    def test_memory_that_pytest_keeps_is_no_leak_and_told_once(
        self, run: Run, driver: dict[str, str], arguments: tuple[str, ...]
    ) -> None:
        result = run(HOLDS, "-p", "gpu", *arguments, **driver)
        assert counts(result) == {"passed": 2}
        (line,) = section(result)
        assert re.fullmatch(
            r"pytest itself \(process \d+\) has \S+/nvidia0 open until it ends;"
            rf" it holds {(CONTEXT_BYTES >> 20) + 256} MiB of memory on NVIDIA H100 \(stand-in driver\) \(GPU-\S+\)",
            line,
        )

    def test_handle_of_a_leaked_process_is_a_leak(self, run: Run, driver: dict[str, str]) -> None:
        result = run(
            """
def test_leaks():
    with open(os.environ["TFKERNEL_STUB"] + "/nvidia0") as file:
        sleeper(stdin=file)
""",
            "-p",
            "gpu",
            **driver,
        )
        assert blamed(result) == ["test_leaks"]
        result.stdout.re_match_lines(
            [r"left behind: process .*", r"left behind: device \S+/nvidia0, held by \d+ \(sleep 300.*"]
        )
