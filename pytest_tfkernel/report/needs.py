"""Which verdicts a machine can't give without a capability."""

from __future__ import annotations

from pytest_tfkernel.model.provisioners import capability_of
from pytest_tfkernel.report.document import Verdict

# Beside what has its name: guarantees, faults and examples.
_ON_GPU = {"gpu-matmul", "gpu_matmul", "no-cuda-context", "gpu-is-usable-again"}
_NEEDED_FOR = {
    "gpu": {*_ON_GPU, "oom-gpu", "cuda-fault"},
    "nvml-processes": _ON_GPU - {"gpu_matmul"},
    "gpu-memory": {"no-cuda-context", "gpu-is-usable-again"},
    "process-limit": {"thread-exhaustion"},
}


def needs(one: Verdict, capability: str) -> bool:
    """Whether it can't be PASS or FAIL without this capability."""
    setting = one.setting
    names = {one.guarantee, setting.fault, setting.example, setting.provisioner, capability_of(setting.provisioner)}
    return bool(names & {capability, *_NEEDED_FOR.get(capability, ())})
