"""Readings of NVML as typed data, whatever nonsense they contain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_tfkernel.model.gpus import Gpu, GpuProcess, Reading

# Codes of nvmlReturn_t.
_NO_PERMISSION = 4
# It is lost, it must be reset.
LOST = (15, 16)


def parse(message: Mapping[str, Any]) -> Reading:
    """What the helper said (see `_child.nvml`). A message that makes no sense is a reading with an error."""
    try:
        if message["kind"] == "failed":
            return Reading(
                error=str(message["error"]) or "it doesn't say why",
                code=message.get("code"),
                hung=message.get("hung") is True,
            )
        gpus: list[Gpu] = []
        lost: list[str] = []
        denied: list[str] = []
        for device in message["devices"]:
            error, code = _failure(device)
            if error:
                # NVML counts the devices of others too, where a container or a job may not open them.
                (denied if code == _NO_PERMISSION else lost).append(f"GPU {device['index']}: {error}")
                continue
            gpus.append(_gpu(device))
            gpus += [_gpu(instance, parent=device["uuid"]) for instance in device["instances"]]
        found = tuple(gpus)
        return Reading(found, str(message["driver"]), int(message["cuda"]), lost=tuple(lost), denied=tuple(denied))
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        return Reading(error=f"its answer makes no sense ({type(error).__name__}: {error})")


def _failure(device: Mapping[str, Any]) -> tuple[str, int | None]:
    """Why there is nothing to say of a device, and the code of NVML: any of its calls may find it lost."""
    if "error" in device:
        return str(device["error"]), device.get("code")
    for answer in (device["memory"], device["processes"]):
        if isinstance(answer, Mapping) and answer.get("code") in LOST:
            return str(answer["error"]), answer["code"]
    return "", None


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
    """Each process once, as a client of MPS if it is one: those are in two lists.

    Pid 0 is nobody: drivers fill lists up with it that are shorter than they said.
    """
    found: dict[int, GpuProcess] = {}
    for one in listed:
        pid, memory = int(one["pid"]), one["memory"]
        if pid > 0 and (pid not in found or one["kind"] == "mps"):
            found[pid] = GpuProcess(pid, None if memory is None else int(memory), str(one["kind"]))
    return tuple(found.values())
