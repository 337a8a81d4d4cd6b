"""Trials as a session plays them: each once, whoever asks."""

from __future__ import annotations

import dataclasses
import os
import time
from dataclasses import dataclass

import pytest

from pytest_tfkernel.machine.capabilities import JUPYTER
from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import Jupyter
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.plugin.asked import options_of
from pytest_tfkernel.plugin.interpreters import interpreters_of
from pytest_tfkernel.plugin.launching import stage_of
from pytest_tfkernel.suite.observing import Seen, observe

# TensorFlow takes all memory of a GPU unless it is told otherwise, and several kernels live at once.
_SHARES_GPU = {"TF_FORCE_GPU_ALLOW_GROWTH": os.environ.get("TF_FORCE_GPU_ALLOW_GROWTH", "true")}


@dataclass(frozen=True)
class Played:
    """A trial: what was seen, or why there was no kernel to look at.

    Whoever asks first has `is_new`, the `seconds` that it took and its `cold_starts`; others have none.
    """

    seen: Seen | TFKernelError
    seconds: float = 0.0
    cold_starts: int = 0
    is_new: bool = False


_PLAYED = pytest.StashKey[dict[Setting, Played]]()


def play(config: pytest.Config, setting: Setting) -> Played:
    """What was seen in a setting, which is played once in a session: a rerun judges the same kill."""
    played = config.stash.setdefault(_PLAYED, {})
    if setting in played:
        return Played(played[setting].seen)
    stage, options = stage_of(config), options_of(config)
    interpreters = interpreters_of(config)
    # What is of no kernel is played with any of them.
    label = next(iter(interpreters)) if setting.kernel is None else setting.kernel
    spec = KernelSpec(
        python=interpreters[label].executable,
        environment=_SHARES_GPU if stage.gpus.are_there else {},
    )
    if setting.provisioner == JUPYTER:
        spec = dataclasses.replace(spec, provisioner=Jupyter(kernelspec=options.kernelspec))
    before, began = stage.launcher.cold_starts, time.monotonic()
    seen: Seen | TFKernelError
    try:
        seen = observe(setting, stage, spec)
    except TFKernelError as error:
        seen = error
    except OSError as error:
        # Of the machine, which has no room for another process, file or descriptor.
        seen = TFKernelError(f"{type(error).__name__}: {error}")
    seconds = time.monotonic() - began
    played[setting] = Played(seen, seconds, stage.launcher.cold_starts - before, is_new=True)
    return played[setting]
