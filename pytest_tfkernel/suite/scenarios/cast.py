"""The kernels of one scenario: started by its script, ended whatever happens."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import FaultNotPossibleError
from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import named
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.trials.cells import CellFailedError
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

P = ParamSpec("P")
F = TypeVar("F")


class Starts(Protocol):
    """Starts one more kernel of the scenario's spec, with these fields of it changed.

    Another provisioner, by name, has those parameters of the spec's that it takes.
    """

    def __call__(self, **changes: Any) -> Kernel:
        """Raises KernelStartError or SpecError."""


def perform(
    setting: Setting, stage: Stage, spec: KernelSpec, notes: Recorder[P, F], script: Callable[[Starts], None]
) -> Facts[F]:
    """Run `script(start)`, which notes what it sees in `notes`; what had been noted when it ended.

    A cell that must not fail and did, or a fault that isn't possible here, ends it early: the facts
    say why.
    """
    interpreter = stage.launcher.interpreter(spec.python)
    started: list[Kernel] = []
    error = ""

    def start(**changes: Any) -> Kernel:
        provisioner = named(changes.pop("provisioner", setting.provisioner), like=spec.made_by)
        started.append(stage.launcher.start(dataclasses.replace(spec, provisioner=provisioner, **changes)))
        return started[-1]

    try:
        script(start)
    except (CellFailedError, FaultNotPossibleError) as failed:
        error = str(failed)
    finally:
        for kernel in started:
            kernel.shutdown(now=True)
    return Facts(setting, interpreter, notes.freeze(), error)
