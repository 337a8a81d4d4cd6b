"""What a fork does to be a process that begins now."""

from __future__ import annotations

import io
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_tfkernel._child import process

_LIMITS = [value for name, value in vars(resource).items() if name.startswith("RLIMIT_")]
# What the process of all began with.
_BEGUN = dict(os.environ)


def begins_alike(environment: Mapping[str, str], read: tuple[str, ...], known: tuple[str, ...] = ()) -> bool:
    """Whether an interpreter that is started with it, and reads variables of these kinds, would begin as this one did."""
    names = {name for name in environment.keys() | _BEGUN.keys() if name.startswith(read)} - {*known}
    return all(environment.get(name) == _BEGUN.get(name) for name in names)


def close_on_exec() -> None:
    """Close what an exec would."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if not os.get_inheritable(int(name)):
                os.close(int(name))
        except OSError:
            continue  # the descriptor of the listing itself


def renew_streams() -> None:
    """Have those of a new interpreter."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        old = getattr(sys, f"__{name}__")
        file = open(number, f"{mode}b", closefd=False)  # noqa: SIM115
        new = io.TextIOWrapper(file, encoding=old.encoding, errors=old.errors, line_buffering=name == "stderr")
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


def ordered(argv: Sequence[str], environment: Mapping[str, str], placed: Sequence[Any]) -> dict[str, Any]:
    """What a process is started with, for `take_up`; of `placed` descriptors, which are their numbers there."""
    return {
        "arguments": argv,
        "environment": environment,
        "folder": str(Path.cwd()),
        "targets": [target for _, _, target in placed],
        "limits": [(number, resource.getrlimit(number)) for number in _LIMITS],
    }


def take_up(order: dict[str, Any], descriptors: Sequence[int]) -> None:
    """Have its descriptors, with nothing to read, its folder and its limits."""
    null = os.open(os.devnull, os.O_RDONLY)
    process.place_descriptors({0: null, **dict(zip(order["targets"], descriptors, strict=True))}, inheritable=True)
    os.chdir(order["folder"])
    for number, both in order["limits"]:
        resource.setrlimit(number, both)
