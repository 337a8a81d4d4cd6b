"""Cells of the suite's own, which must not fail."""

from __future__ import annotations

from typing import Any

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import KernelDied, KernelIsDead


class CellFailedError(Exception):
    """A cell ended in an error, or its kernel died; the text says which."""


def value(kernel: Kernel, cell: str, timeout: float | None = None) -> Any:
    """The value of a cell. Raises CellFailedError."""
    try:
        reply = kernel.execute(cell, timeout=timeout)
    except (KernelDied, KernelIsDead) as died:
        raise CellFailedError(str(died)) from None
    if reply.error is not None:
        raise CellFailedError(str(reply.error).splitlines()[0])
    return reply.value
