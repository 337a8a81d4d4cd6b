"""Whether a kernel spec makes sense, before anything is started for it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pytest_tfkernel.kernels.errors import SpecError
from pytest_tfkernel.model.kernels import KernelSpec

_SMALLEST_MEMORY = 16 * 1024 * 1024
_FEWEST_FILES = 16


def check(spec: KernelSpec, provisioners: Sequence[str]) -> None:
    """Raise SpecError, in one line that says what to change, for a spec that can't work."""
    if spec.provisioner not in provisioners:
        raise SpecError(f"provisioner={spec.provisioner!r} is unknown: choose from {', '.join(provisioners)}")
    if spec.preload is not None and spec.provisioner != "forkserver":
        raise SpecError(
            f"preload={spec.preload!r} needs provisioner='forkserver', not {spec.provisioner!r}:"
            " import in startup='...' instead"
        )
    if isinstance(spec.preload, str) or isinstance(spec.sys_path, str):
        raise SpecError("preload and sys_path are tuples of text: write ('name',) with a comma")
    if spec.folder is not None and not os.path.isdir(spec.folder):
        raise SpecError(f"folder={spec.folder!r} is no folder: make it first, or leave it out")
    for name in ("timeout", "start_timeout"):
        if not getattr(spec, name) > 0:
            raise SpecError(f"{name}={getattr(spec, name)!r} is no deadline: give seconds above 0")
    smallest = {
        "memory_limit": _SMALLEST_MEMORY,
        "process_limit": 1,
        "address_space_limit": _SMALLEST_MEMORY,
        "open_files_limit": _FEWEST_FILES,
    }
    for name, least in smallest.items():
        limit = getattr(spec, name)
        if limit is not None and limit < least:
            raise SpecError(f"{name}={limit!r} is too little for a Python to start: give at least {least}")
    if spec.memory_limit is not None and spec.address_space_limit is not None:
        if spec.address_space_limit < spec.memory_limit:
            raise SpecError(
                f"address_space_limit={spec.address_space_limit} is below memory_limit={spec.memory_limit},"
                " which could then never be reached: drop one of them"
            )
