"""Readings of NVML as typed data, whatever nonsense they contain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_tfkernel.model.gpus import Gpu, GpuProcess, Reading


def parse(message: Mapping[str, Any]) -> Reading:
    """What the helper said (see `_child.nvml`). A message that makes no sense is a reading with an error."""
    try:
        if message["kind"] == "failed":
            return Reading(error=str(message["error"]), code=message.get("code"), hung=message.get("hung") is True)
        gpus: list[Gpu] = []
        lost: list[str] = []
        for device in message["devices"]:
            if "error" in device:
                lost.append(f"GPU {device['index']}: {device['error']}")
                continue
            gpus.append(_gpu(device))
            gpus += [_gpu(instance, parent=device["uuid"]) for instance in device["instances"]]
        return Reading(tuple(gpus), str(message["driver"]), int(message["cuda"]), lost=tuple(lost))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return Reading(error=f"its answer makes no sense ({type(error).__name__}: {error})")


def _gpu(device: Mapping[str, Any], parent: str = "") -> Gpu:
    memory, processes = device["memory"], device["processes"]
    known = "error" not in memory
    listed = isinstance(processes, list)
    return Gpu(
        uuid=str(device["uuid"]),
        name=str(device["name"]),
        total=int(memory["total"]) if known else None,
        used=int(memory["used"]) if known else None,
        processes=_processes(processes) if listed else None,
        memory_error="" if known else str(memory["error"]),
        processes_error="" if listed else str(processes["error"]),
        mig=device["mig"] is True,
        parent=parent,
    )


def _processes(listed: Sequence[Mapping[str, Any]]) -> tuple[GpuProcess, ...]:
    """Each process once. Pid 0 is nobody: drivers fill lists up with it that are shorter than they said."""
    found: dict[int, GpuProcess] = {}
    for one in listed:
        pid, memory = int(one["pid"]), one["memory"]
        if pid > 0 and pid not in found:
            found[pid] = GpuProcess(pid, None if memory is None else int(memory), str(one["kind"]))
    return tuple(found.values())
