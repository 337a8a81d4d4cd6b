"""Reads NVML: in a process of its own, since its calls can hang for ever.

Started as `python -I -S -u FOLDER nvml` with its channel at descriptor 3, under pytest's own Python, which has the
bindings. It answers {"op": "read", "id"} with

    {"kind": "reading", "driver", "cuda", "devices": [{"index", "uuid", "name", "memory", "processes", "mig",
     "instances": [...]}, ...], "id"}

or {"kind": "failed", "error", "code", "id"}. `memory` is {"total", "used"} in bytes or {"error", "code"}; `processes`
is a list of {"pid", "memory" (bytes or null), "kind"} or {"error", "code"}; `mig` is true, false, or null where
there is no such mode. `instances` are the MIG devices of a device, described as one. A device that can't be
described at all, one that is lost say, is {"index", "error", "code"}.
"""

import os
from collections.abc import Callable
from typing import Any

from . import frames, search_path

CHANNEL = 3
# Stands beside the codes of nvmlReturn_t, which are positive.
NO_BINDINGS = -1

# A list of processes may grow between the call that asks for its length and the one that fills it.
_TRIES = 3


def main(_: list[str]) -> None:
    """Answer requests until the channel closes."""
    search_path.look_where_told()
    os.set_inheritable(CHANNEL, False)
    port = frames.Port(CHANNEL)
    reader = Reader()
    while True:
        try:
            request = port.receive()
        except (EOFError, OSError):
            return
        port.send({**reader.read(), "id": request["id"]})


class Reader:
    """Keeps the library initialised, which takes long, until it fails: a driver may come and go."""

    def __init__(self) -> None:
        self._ready = False

    def read(self) -> dict[str, Any]:
        """One reading of everything."""
        try:
            import pynvml
        except ImportError as error:
            return {"kind": "failed", "error": f"nvidia-ml-py is not installed ({error})", "code": NO_BINDINGS}
        try:
            if not self._ready:
                pynvml.nvmlInit()
                self._ready = True
            return {
                "kind": "reading",
                "driver": _text(pynvml.nvmlSystemGetDriverVersion()),
                "cuda": pynvml.nvmlSystemGetCudaDriverVersion_v2(),
                "devices": [_attempt_device(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())],
            }
        except Exception as error:
            if self._ready:
                self._ready = False
                _attempt(pynvml.nvmlShutdown)
            return {"kind": "failed", **_failure(error)}


def _attempt_device(pynvml: Any, index: int) -> dict[str, Any]:
    try:
        return _device(pynvml, index)
    except Exception as error:
        return {"index": index, **_failure(error)}


def _device(pynvml: Any, index: int) -> dict[str, Any]:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    instances = []
    mig = _attempt(lambda: bool(pynvml.nvmlDeviceGetMigMode(handle)[0]))
    if mig is True:
        for number in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
            try:
                instance = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
            except pynvml.NVMLError_NotFound:
                continue  # slots need not be filled
            instances.append({**_describe(pynvml, instance), "index": number, "mig": None, "instances": []})
    return {
        **_describe(pynvml, handle),
        "index": index,
        "mig": mig if isinstance(mig, bool) else None,
        "instances": instances,
    }


def _describe(pynvml: Any, handle: Any) -> dict[str, Any]:
    return {
        "uuid": _text(pynvml.nvmlDeviceGetUUID(handle)),
        "name": _text(pynvml.nvmlDeviceGetName(handle)),
        "memory": _attempt(lambda: _memory(pynvml, handle)),
        "processes": _attempt(lambda: _processes(pynvml, handle)),
    }


def _memory(pynvml: Any, handle: Any) -> dict[str, int]:
    # Always the second version: the first one counts what the driver reserves as used.
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2)
    return {"total": memory.total, "used": memory.used}


def _processes(pynvml: Any, handle: Any) -> list[dict[str, Any]]:
    listers = {
        "compute": pynvml.nvmlDeviceGetComputeRunningProcesses,
        "graphics": pynvml.nvmlDeviceGetGraphicsRunningProcesses,
        "mps": pynvml.nvmlDeviceGetMPSComputeRunningProcesses,
    }
    found = []
    for kind, lister in listers.items():
        try:
            listed = _listed(pynvml, lister, handle)
        except (pynvml.NVMLError_NotSupported, pynvml.NVMLError_FunctionNotFound, pynvml.NVMLLibraryMismatchError):
            if kind == "compute":
                raise
            continue  # no such processes are known to this driver
        found += [{"pid": one.pid, "memory": one.usedGpuMemory, "kind": kind} for one in listed]
    return found


def _listed(pynvml: Any, lister: Any, handle: Any) -> Any:
    for attempt in range(_TRIES):
        try:
            return lister(handle)
        except pynvml.NVMLError_InsufficientSize:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _attempt(read_one: Callable[[], Any]) -> Any:
    try:
        return read_one()
    except Exception as error:
        return _failure(error)


def _failure(error: Exception) -> dict[str, Any]:
    return {"error": str(error) or type(error).__name__, "code": getattr(error, "value", None)}


def _text(name: Any) -> str:
    # Older bindings give bytes.
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
