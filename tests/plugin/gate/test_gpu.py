"""What is told of GPUs that pytest itself holds."""

from __future__ import annotations

import os

import pytest

from pytest_tfkernel.model.gpus import Calibration, Gpu, GpuProcess, Reading, Sight
from pytest_tfkernel.plugin.gate import gpu as gate_gpu


class TestGpuLines:
    def test_name_the_amount_that_pytest_holds(self) -> None:
        gpu = Gpu("GPU-1", "H100", 80 << 30, 1 << 30, (GpuProcess(77, 3 << 30), GpuProcess(os.getpid(), 700 << 20)))
        (line,) = gate_gpu.tell({"/dev/nvidia0"}, Calibration(Sight.FULL), Reading((gpu,)), {os.getpid()})
        assert line == (
            f"pytest itself (process {os.getpid()}) has /dev/nvidia0 open until it ends;"
            " it holds 700 MiB of memory on H100 (GPU-1)"
        )

    @pytest.mark.parametrize("memory", [None, 0])
    def test_say_where_the_driver_knows_no_amount(self, memory: int | None) -> None:
        gpu = Gpu("GPU-1", "H100", None, None, (GpuProcess(5, memory),))
        (line,) = gate_gpu.tell({"/dev/nvidia0"}, Calibration(Sight.FULL), Reading((gpu,)), {5})
        assert "an unknown amount" in line

    @pytest.mark.parametrize("sight", [sight for sight in Sight if sight is not Sight.FULL])
    def test_say_why_nothing_can_be_seen(self, sight: Sight) -> None:
        (line,) = gate_gpu.tell({"/dev/nvidia0"}, Calibration(sight, "do this"), Reading(), {5})
        assert line.endswith(f"can't be seen: {sight.value}: do this")

    def test_say_so_where_the_process_is_not_listed(self) -> None:
        gpu = Gpu("GPU-1", "H100", None, None, None)
        (line,) = gate_gpu.tell({"/dev/nvidia0"}, Calibration(Sight.FULL), Reading((gpu,)), {5})
        assert line.endswith("open until it ends, and no memory")
