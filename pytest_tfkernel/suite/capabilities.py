"""What can be checked on this machine, and what can't, with the reason."""

from __future__ import annotations

from pathlib import Path

from pytest_tfkernel.kernels.cgroups import MEMORY, PIDS, CgroupUnavailableError, find_parent
from pytest_tfkernel.kernels.limits import OOM_KILL, PROCESS_LIMIT
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import Capability

GPU = "gpu"


def capabilities(interpreter: Interpreter, devices: Path = Path("/dev")) -> tuple[Capability, ...]:
    """Each capability, available or not."""
    return (
        _tensorflow(interpreter),
        _cgroup(OOM_KILL, "OOM kills", MEMORY),
        _cgroup(PROCESS_LIMIT, "limits on processes", PIDS),
        _gpu(devices),
    )


def _tensorflow(interpreter: Interpreter) -> Capability:
    reason = (
        "" if interpreter.tensorflow else f"install it with `{interpreter.executable} -m pip install tensorflow-cpu`"
    )
    return Capability("tensorflow", "TensorFlow", interpreter.tensorflow is not None, reason)


def _cgroup(name: str, summary: str, controller: str) -> Capability:
    try:
        find_parent(controller)
    except CgroupUnavailableError as error:
        return Capability(name, summary, available=False, reason=str(error))
    return Capability(name, summary, available=True)


def _gpu(devices: Path) -> Capability:
    # The numbered files are the cards; WSL2 has one file for all.
    if any(devices.glob("nvidia[0-9]*")) or (devices / "dxg").exists():
        return Capability(GPU, "GPUs", available=True)
    reason = f"no {devices}/nvidia* exists: there is no NVIDIA driver, or the container was started without --gpus"
    return Capability(GPU, "GPUs", available=False, reason=reason)
