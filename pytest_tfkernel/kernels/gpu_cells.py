"""Cells that use a GPU through the driver API, without a framework."""

from __future__ import annotations

from pathlib import Path

from pytest_tfkernel._child import cuda

# The text of `_child.cuda` becomes a module in the kernel: any kernel can run it, whoever hosts it.
CUDA = f"""\
import sys, types
if "_tfkernel_cuda" not in sys.modules:
    sys.modules["_tfkernel_cuda"] = types.ModuleType("_tfkernel_cuda")
    exec({Path(cuda.__file__).read_text(encoding="utf-8")!r}, sys.modules["_tfkernel_cuda"].__dict__)
import _tfkernel_cuda
"""

# Leaves `context` open.
OPEN_CONTEXT = f"""{CUDA}
context = _tfkernel_cuda.Context(_tfkernel_cuda.Driver())
context.memory()
"""
