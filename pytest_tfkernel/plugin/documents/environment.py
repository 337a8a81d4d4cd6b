"""What may make two runs differ: the machine, the interpreters, the packages, the options."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.errors import SpecError
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import Capability
from pytest_tfkernel.plugin.launching import launcher_of
from pytest_tfkernel.report import document

_PACKAGES = (
    "pytest", "pytest-tfkernel", "pytest-xdist", "psutil", "nvidia-ml-py", "cloudpickle", "msgspec", "jupyter_client",
)  # fmt: skip


def environment(
    config: pytest.Config, interpreters: Mapping[str, Interpreter], capabilities: Collection[Capability], gpus: Gpus
) -> document.Environment:
    """That of this session."""
    return document.Environment(
        machine=_machine(gpus),
        kernels=[
            document.Kernel(
                label=label,
                executable=one.executable,
                python=".".join(map(str, one.version)),
                tensorflow=one.tensorflow,
                packages=dict(one.packages),
                cuda=one.cuda,
            )
            for label, one in interpreters.items()
        ],
        pytest=_beside(config),
        packages={name: version for name in _PACKAGES if (version := _version(name)) is not None},
        options=[str(word) for word in config.invocation_params.args],
        capabilities={one.name: one.reason for one in capabilities if not one.available},
    )


def _beside(config: pytest.Config) -> document.Beside | None:
    try:
        # Known already, where it is that of the kernels.
        found = launcher_of(config).interpreter(sys.executable)
    except SpecError:
        return None
    return document.Beside(
        executable=found.executable,
        python=".".join(map(str, found.version)),
        tensorflow=found.tensorflow,
        packages=dict(found.packages),
        cuda=found.cuda,
    )


def _machine(gpus: Gpus) -> document.Machine:
    known = gpus.calibration if gpus.are_there else None
    return document.Machine(
        linux=platform.release(),
        architecture=platform.machine(),
        cpus=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        cgroup=2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1,
        driver=known.driver or None if known is not None else None,
        gpus=list(known.names) if known is not None else [],
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
