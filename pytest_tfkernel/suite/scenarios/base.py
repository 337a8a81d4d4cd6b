"""What a scenario is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.sizes import STANDARD
from pytest_tfkernel.trials.stage import Stage


@dataclass(frozen=True)
class Scenario:
    """A trial with a script of its own. Its name stands where an example's does in a setting.

    `play(setting, stage, spec)` starts kernels of `spec` (whose interpreter and startup cell are
    the caller's; the provisioner is the setting's), and ends all of them before it returns. `size` is
    the smallest size of a run that has it.
    """

    name: str
    title: str
    settings: tuple[Setting, ...]
    play: Callable[[Setting, Stage, KernelSpec], Facts[Any]]
    size: str = STANDARD
