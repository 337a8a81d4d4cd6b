"""What makes kernels for a test: the type of the fixture `tfkernel_factory`."""

from __future__ import annotations

from typing import Any, Protocol

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.kernels import KernelSpec


class KernelFactory(Protocol):
    """What the fixture `tfkernel_factory` gives."""

    def __call__(self, spec: KernelSpec | None = None, **changes: Any) -> Kernel:
        """A running kernel of `spec`, or of `tfkernel_spec`, with some fields changed."""
