"""Which verdicts a machine can't give without a capability."""

from __future__ import annotations

import pytest

from pytest_tfkernel.report import document
from pytest_tfkernel.report.needs import needs


def verdict(guarantee: str = "process-is-new", **setting: str) -> document.Verdict:
    fields = {"provisioner": "forkserver", "example": "graph_add", "fault": "sigkill", "phase": "idle", **setting}
    where = document.Setting(kernel="tf2.21", **fields)
    return document.Verdict(guarantee=guarantee, setting=where, item="item", verdict="PASS", reason="")


@pytest.mark.parametrize(
    ("one", "needed"),
    [
        (verdict(), set()),
        (verdict(fault="oom-kill"), {"oom-kill"}),
        (verdict(fault="thread-exhaustion"), {"process-limit"}),
        (verdict(provisioner="jupyter"), {"jupyter"}),
        (verdict(provisioner="multiprocess-spawn"), {"multiprocess"}),
        (verdict(fault="oom-gpu"), {"gpu"}),
        (verdict(example="gpu_matmul"), {"gpu"}),
        (verdict("gpu-matmul"), {"gpu", "nvml-processes"}),
        (verdict("no-cuda-context"), {"gpu", "nvml-processes", "gpu-memory"}),
    ],
    ids=lambda one: "" if isinstance(one, set) else f"{one.guarantee}-{one.setting.fault}-{one.setting.provisioner}",
)
def test_by_guarantee_fault_example_or_provisioner(one: document.Verdict, needed: set[str]) -> None:
    known = (
        "tensorflow",
        "oom-kill",
        "process-limit",
        "jupyter",
        "spyder",
        "multiprocess",
        "gpu",
        "nvml-processes",
        "gpu-memory",
    )
    assert {name for name in known if needs(one, name)} == needed
