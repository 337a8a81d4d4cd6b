"""Which GPUs CUDA would show to a program: CUDA_VISIBLE_DEVICES, applied to what NVML lists.

Indices count the GPUs in the order of NVML, which is that of the PCI bus. CUDA's own order is the same where
CUDA_DEVICE_ORDER=PCI_BUS_ID is set or all GPUs are of one model.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_tfkernel.model.gpus import Gpu


def visible(gpus: Sequence[Gpu], wanted: str | None) -> tuple[Gpu, ...]:
    """The GPUs and MIG instances that `wanted` names, or all of them where it is None.

    As with CUDA, the first entry that names nothing, or more than one, ends the list, and a GPU that is divided
    stands for its first instance.
    """
    if wanted is None:
        return tuple(unit for gpu in gpus if not gpu.parent for unit in _units(gpus, gpu))
    chosen: dict[str, Gpu] = {}
    for entry in wanted.split(","):
        found = _named(gpus, entry.strip().lower())
        if found is None:
            break
        chosen[found.uuid] = found
    return tuple(chosen.values())


def _named(gpus: Sequence[Gpu], entry: str) -> Gpu | None:
    if entry.isdecimal():
        devices = [gpu for gpu in gpus if not gpu.parent]
        found = devices[int(entry) : int(entry) + 1]
    elif entry.startswith(("gpu-", "mig-")):
        found = [gpu for gpu in gpus if gpu.uuid.lower().startswith(entry)]
    else:
        return None
    return _units(gpus, found[0])[0] if len(found) == 1 else None


def _units(gpus: Sequence[Gpu], gpu: Gpu) -> list[Gpu]:
    """What programs run on: its instances, where it is divided, or itself."""
    return [one for one in gpus if one.parent == gpu.uuid] or [gpu]
