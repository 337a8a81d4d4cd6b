"""What a new process takes on before it does anything else."""

from __future__ import annotations

import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.kernels import KernelSpec

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


@dataclass(frozen=True)
class Order:
    """The lease that a process wears, the folder in which it works, its limits, and the cgroups that it joins.

    `limits` are pairs of rlimit and soft value; `cgroups` are `cgroup.procs` files. Without a `folder` it stays where
    it is. Raises ValueError or TypeError for what no process can take on.
    """

    lease: int
    folder: str | None = "/"
    limits: tuple[tuple[int, int], ...] = ()
    cgroups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _is_count(self.lease) or self.lease == 0:
            raise ValueError(f"lease={self.lease!r} must be a whole number above 0")
        if not isinstance(self.folder, str | None) or self.folder == "" or "\0" in (self.folder or ""):
            raise ValueError(f"folder={self.folder!r} must be a path or None")
        for number, limit in self.limits:
            if not _is_count(number) or not _is_count(limit):
                raise ValueError(f"limits={self.limits!r} must be pairs of rlimit and soft value")
        for file in self.cgroups:
            if not Path(file).is_absolute():
                raise ValueError(f"cgroups={self.cgroups!r} must be absolute paths")

    @classmethod
    def of(cls, spec: KernelSpec, lease: int, cgroups: Sequence[str]) -> Order:
        """That of a kernel. Raises KernelStartError when there is no folder to work in."""
        return cls(lease, folder_of(spec), _limits_of(spec), tuple(cgroups))

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Order:
        """One that was told by `for_child`."""
        limits = tuple((number, limit) for number, limit in told["limits"])
        return cls(told["lease"], told["folder"], limits, tuple(told["cgroups"]))

    def for_child(self) -> dict[str, Any]:
        """As `_child.process.restrict` reads it."""
        return {
            "lease": self.lease,
            "folder": self.folder,
            "limits": [list(pair) for pair in self.limits],
            "cgroups": list(self.cgroups),
        }


def folder_of(spec: KernelSpec) -> str:
    """Where processes of a spec work. Raises KernelStartError when pytest's own working folder is gone."""
    if spec.folder is not None:
        return spec.folder
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        raise KernelStartError(
            "pytest's working folder was removed: change into one that exists, or name one with folder='...'"
        ) from None


def _limits_of(spec: KernelSpec) -> tuple[tuple[int, int], ...]:
    wanted = {resource.RLIMIT_AS: spec.address_space_limit, resource.RLIMIT_NOFILE: spec.open_files_limit}
    return tuple((number, limit) for number, limit in wanted.items() if limit is not None)


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0
