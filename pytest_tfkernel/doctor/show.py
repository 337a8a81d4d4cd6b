"""An examination as text for people and as JSON for machines; docs/runners.md describes the latter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pytest_tfkernel.doctor.examine import worst
from pytest_tfkernel.doctor.findings import (
    Examination,
    Fulfilment,
    GpuLook,
    Listing,
    Occupant,
    RequirementResult,
    Role,
    Surroundings,
)
from pytest_tfkernel.doctor.site import SHARED_MEMORY
from pytest_tfkernel.model.gpus import Gpu

SCHEMA = 1

_GIB = 1 << 30
_MIB = 1 << 20
# As `docker ps` shows them.
_SHORT_ID = 12
_COMMAND_WIDTH = 160
_ROLES = {Role.USER: "", Role.DAEMON: ", a daemon of the driver", Role.OURS: ", this program"}
_CONTEXT_NOTE = "A CUDA context was made on the first of them to see this; `--require=gpu-idle` makes none."


def report(found: Examination) -> str:
    """Everything, for people."""
    return "".join(f"{printable(line)}\n" for line in _report(found))


def answers(found: Examination) -> tuple[str, str]:
    """What became of the requirements: what goes to stdout, and the lines of stderr, one for each unclear answer."""
    said = [line for result in found.results if _is_clear(result) for line in _answer(result, found)]
    unclear = [_headline(result) for result in found.results if not _is_clear(result)]
    return "".join(f"{printable(line)}\n" for line in said), "".join(f"{printable(line)}\n" for line in unclear)


def as_json(found: Examination) -> str:
    """All that `report` and `answers` say."""
    interpreter, look = found.interpreter, found.look
    sizes = None if found.surroundings is None else found.surroundings.shared_memory
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "exit": worst(found.results).value,
        "kernel_python": None if interpreter is None else interpreter.executable,
        "kernel_version": None if interpreter is None else ".".join(map(str, interpreter.version)),
        "kernel_tensorflow": None if interpreter is None else interpreter.tensorflow,
        "driver": None if look is None else look.reading.driver or None,
        "nvml_error": None if look is None else look.reading.error or None,
        "visible_devices": found.wanted,
        "made_context": found.calibration is not None and bool(found.calibration.visible),
        "requirements": [
            {
                "name": one.requirement,
                "answer": one.answer.words,
                "exit": one.answer.value,
                "reason": one.reason,
                "seconds": round(one.seconds, 3),
            }
            for one in found.results
        ],
        "capabilities": [
            {"name": one.name, "summary": one.summary, "available": one.available, "reason": one.reason}
            for one in found.capabilities
        ],
        "gpus": [] if look is None else [_gpu_row(gpu, look) for gpu in look.reading.gpus],
        "lost": [] if look is None else list(look.reading.lost),
        "holders": [] if look is None else [row for one in look.occupancy.occupants for row in _holder_rows(one)],
        "unreadable": 0 if look is None else look.occupancy.unreadable,
        "shared_memory": None if sizes is None else {"size": sizes[0], "free": sizes[1]},
        "is_process_1": None if found.surroundings is None else found.surroundings.is_first,
        "notes": [] if found.calibration is None else list(found.calibration.notes),
        "changes": list(found.changes),
    }
    return f"{json.dumps(_clean(document), indent=2, allow_nan=False)}\n"


def printable(text: str) -> str:
    """Text of other processes without what would end a line, move a cursor or fit into no encoding."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def _report(found: Examination) -> Iterator[str]:
    yield f"Kernels: {found.interpreter}" if found.interpreter is not None else "Kernels: not looked at"
    yield from _capabilities(found)
    if found.look is not None:
        yield from _gpus(found.look)
        yield from _holders(found.look)
    if found.calibration is not None and found.calibration.visible:
        yield from (f"Note: {note}" for note in (*found.calibration.notes, _CONTEXT_NOTE))
    if found.surroundings is not None:
        yield f"Shared memory: {_shared_memory(found.surroundings)}"
    if found.changes:
        yield "What to change:"
        yield from (f"  {change}" for change in found.changes)


def _capabilities(found: Examination) -> Iterator[str]:
    for title, is_available in (("Can be checked here:", True), ("Can't be checked here:", False)):
        chosen = [one for one in found.capabilities if one.available is is_available]
        if chosen:
            yield title
        for one in chosen:
            reason = f" ({one.reason})" if one.reason else ""
            yield f"  {one.name:<15} {one.summary}{reason}"


def _shared_memory(found: Surroundings) -> str:
    if found.shared_memory is None:
        return f"there is no {SHARED_MEMORY}"
    size, free = found.shared_memory
    return f"{SHARED_MEMORY} has {size / _MIB:.0f} MiB, of which {free / _MIB:.0f} are free"


def _gpus(look: GpuLook) -> Iterator[str]:
    if not look.reading.gpus:
        yield f"GPUs: {look.reading.error or '; '.join(look.reading.lost) or 'none'}"
        return
    yield f"GPUs (driver {look.reading.driver}):"
    for gpu in look.reading.gpus:
        used = gpu.memory_error if gpu.used is None or gpu.total is None else _memory(gpu.used, gpu.total)
        hidden = "" if _is_visible(gpu, look) else ", not chosen by CUDA_VISIBLE_DEVICES"
        yield f"  {_place(gpu, look)} {gpu.name} ({gpu.uuid}): {used}{hidden}"
    yield from (f"  lost: {lost}" for lost in look.reading.lost)


def _holders(look: GpuLook) -> Iterator[str]:
    yield "Who holds them now:" if look.occupancy.occupants else "Who holds them now: nobody that can be seen"
    yield from (f"  {_holder(one, look)}" for one in look.occupancy.occupants)
    if look.occupancy.unreadable:
        yield f"  the open files of {look.occupancy.unreadable} process(es) can't be read: run as root to see them"


def _holder(one: Occupant, look: GpuLook) -> str:
    held = [_listing(listing, look) for listing in one.listings] + list(one.devices)
    if not one.known:
        return f"pid {one.pid}: {one.absence}: {', '.join(held)}"
    facts = [one.user, f"container {one.container[:_SHORT_ID]}" if one.container else ""]
    facts.append("" if one.age is None else f"{one.age:.0f} s old")
    command = one.command if len(one.command) <= _COMMAND_WIDTH else f"{one.command[:_COMMAND_WIDTH]}..."
    return f"pid {one.pid} ({', '.join(filter(None, facts))}{_ROLES[one.role]}): {command}: {', '.join(held)}"


def _listing(listing: Listing, look: GpuLook) -> str:
    memory = "memory unknown" if listing.memory is None else f"{listing.memory / _MIB:.0f} MiB"
    gpu = next(gpu for gpu in look.reading.gpus if gpu.uuid == listing.gpu)
    return f"{memory} of GPU {_place(gpu, look)} ({listing.kind})"


def _answer(result: RequirementResult, found: Examination) -> Iterator[str]:
    yield _headline(result)
    if result.answer is Fulfilment.NOT_MET and result.requirement == "gpu-idle" and found.look is not None:
        yield from _holders(found.look)


def _headline(result: RequirementResult) -> str:
    reason = f": {result.reason}" if result.reason else ""
    waited = f" after {result.seconds:.1f} s" if result.seconds else ""
    return f"{result.requirement}: {result.answer.words}{waited}{reason}"


def _is_clear(result: RequirementResult) -> bool:
    return result.answer in {Fulfilment.MET, Fulfilment.NOT_MET}


def _place(gpu: Gpu, look: GpuLook) -> str:
    """Its number in the order of NVML; that of a part of a GPU follows a colon."""
    if gpu.parent:
        parts = [one.uuid for one in look.reading.gpus if one.parent == gpu.parent]
        parent = next(one for one in look.reading.gpus if one.uuid == gpu.parent)
        return f"{_place(parent, look)}:{parts.index(gpu.uuid)}"
    return str([one.uuid for one in look.reading.gpus if not one.parent].index(gpu.uuid))


def _is_visible(gpu: Gpu, look: GpuLook) -> bool:
    return any(gpu.uuid in {one.uuid, one.parent} for one in look.visible)


def _memory(used: int, total: int) -> str:
    return f"{used / _GIB:.1f} of {total / _GIB:.1f} GiB in use"


def _gpu_row(gpu: Gpu, look: GpuLook) -> dict[str, Any]:
    return {
        "place": _place(gpu, look),
        "uuid": gpu.uuid,
        "name": gpu.name,
        "parent": gpu.parent or None,
        "visible": _is_visible(gpu, look),
        "total": gpu.total,
        "used": gpu.used,
        "memory_error": gpu.memory_error or None,
        "processes_error": gpu.processes_error or None,
    }


def _holder_rows(one: Occupant) -> Iterator[dict[str, Any]]:
    """One for each GPU that lists it; one without a GPU where none does."""
    for listing in one.listings or (None,):
        yield {
            "pid": one.pid,
            "known": one.known,
            "absence": one.absence or None,
            "command": one.command,
            "user": one.user,
            "container": one.container or None,
            "age": None if one.age is None else round(one.age, 1),
            "role": one.role.value,
            "gpu": None if listing is None else listing.gpu,
            "memory": None if listing is None else listing.memory,
            "kind": None if listing is None else listing.kind,
            "devices": list(one.devices),
        }


def _clean(value: Any) -> Any:
    """The same without lone surrogates, which many readers of JSON refuse."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {name: _clean(one) for name, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list) else value
