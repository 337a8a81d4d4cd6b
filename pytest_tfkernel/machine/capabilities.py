"""What can be checked on this machine, and what can't, with the reason."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
from collections.abc import Mapping

from pytest_tfkernel.kernels.faults.limits import OOM_KILL, PROCESS_LIMIT
from pytest_tfkernel.kernels.faults.menu import GPU
from pytest_tfkernel.kernels.generations import homes
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.gpus import Calibration
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.provisioners import PROVISIONERS, Managed, Need
from pytest_tfkernel.model.trials import Capability
from pytest_tfkernel.processes.cgroups import MEMORY, PIDS, CgroupUnavailableError, find_parent

NVML_PROCESSES = "nvml-processes"
GPU_MEMORY = "gpu-memory"
JUPYTER, SPYDER, MULTIPROCESS = "jupyter", "spyder", "multiprocess"

# One of each, whichever its parameters are.
_NEEDY = {one.need.capability: one for one in PROVISIONERS if one.need is not None}


def capabilities(interpreter: Interpreter, gpus: Gpus) -> tuple[Capability, ...]:
    """Each capability, available or not."""
    return (
        _tensorflow(interpreter),
        _cgroup(OOM_KILL, "OOM kills", MEMORY),
        _cgroup(PROCESS_LIMIT, "limits on processes", PIDS),
        *hosts(interpreter).values(),
        *gpu_capabilities(gpus),
    )


def of_all(interpreters: Mapping[str, Interpreter], gpus: Gpus) -> tuple[Capability, ...]:
    """The capabilities of a run with several interpreters, by label: what one of them lacks, the run lacks."""
    found = {label: capabilities(interpreter, gpus) for label, interpreter in interpreters.items()}
    merged = []
    for same in zip(*found.values(), strict=True):
        lacking = {label: one.reason for label, one in zip(found, same, strict=True) if not one.available}
        everywhere = len(lacking) == len(found) and len(set(lacking.values())) == 1
        words = lacking.values() if everywhere else [f"{label}: {why}" for label, why in lacking.items()]
        merged.append(dataclasses.replace(same[0], available=not lacking, reason="; ".join(dict.fromkeys(words))))
    return tuple(merged)


def hosts(interpreter: Interpreter) -> dict[str, Capability]:
    """Which kernel managers of others can be looked at, by the name of each."""
    found = {}
    for name, one in _NEEDY.items():
        missing = _without_package(one.need, interpreter)
        if isinstance(one, Managed):
            missing = missing or _without_manager(name) or homes.missing(os.environ)
        found[name] = Capability(name, one.need.summary if one.need is not None else name, not missing, missing)
    return found


def _without_package(need: Need | None, interpreter: Interpreter) -> str:
    if need is None or need.module in interpreter.packages:
        return ""
    return f"not installed: {need.package}: `{interpreter.executable} -m pip install {need.package}`"


def _without_manager(name: str) -> str:
    if importlib.util.find_spec("jupyter_client") is not None:
        return ""
    return f"not installed: jupyter_client beside pytest: `{sys.executable} -m pip install 'pytest-tfkernel[{name}]'`"


def gpu_capabilities(gpus: Gpus) -> tuple[Capability, ...]:
    """Those of GPUs. Where a device is there, a sentinel is started once to learn what NVML shows of it."""
    blind = _blindness(gpus)
    unseen = "" if blind or gpus.calibration.sees_processes else _words(gpus.calibration)
    advisory = "" if blind or unseen else gpus.calibration.advisory
    return (
        Capability(GPU, "GPUs", not blind, blind),
        Capability(NVML_PROCESSES, "processes on GPUs", not (blind or unseen), blind or unseen),
        Capability(GPU_MEMORY, "memory of GPUs", not (blind or unseen or advisory), blind or unseen or advisory),
    )


def describe(gpus: Gpus) -> tuple[str, ...]:
    """The states of the GPUs that a person must know, a line each; none where there is no GPU."""
    if _blindness(gpus):
        return ()
    known = gpus.calibration
    per_process = f"; memory by process: {known.per_process.value}" if known.per_process is not None else ""
    ids = ", by ids of threads" if known.thread_ids else ""
    cards = f"GPU {', '.join(known.names)}, driver {known.driver}: {known.sight.value}{ids}{per_process}"
    return (cards, *(f"GPU: {note}" for note in known.notes))


def _blindness(gpus: Gpus) -> str:
    """Why there is no GPU to look at; empty where there is one."""
    if not gpus.are_there:
        return (
            f"no {gpus.devices}/nvidia* exists: there is no NVIDIA driver, or the container was started without --gpus"
        )
    return "" if gpus.calibration.visible else _words(gpus.calibration)


def _words(known: Calibration) -> str:
    return f"{known.sight.value}: {known.reason}"


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
