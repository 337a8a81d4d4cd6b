"""A plugin for a pytest under test: notes each trial that is played, and may play it by hand.

`TRIALS_LOG` is the file to which it adds a line `WORKER SETTING KERNEL`. With `TRIALS=canned` nothing is
started: what would be seen is `observations.honest`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import observations
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite import observing
from pytest_tfkernel.trials.stage import Stage


def observe(setting: Setting, stage: Stage, spec: KernelSpec | None = None) -> observing.Seen:
    """Stands in for `pytest_tfkernel.suite.observing.observe`."""
    with Path(os.environ["TRIALS_LOG"]).open("a", encoding="utf-8") as log:
        log.write(f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')} {setting} {setting.kernel}\n")
    if os.environ.get("TRIALS") == "canned":
        return observations.honest(setting)
    return observing.observe(setting, stage, spec)


pytest.MonkeyPatch().setattr("pytest_tfkernel.plugin.suite.playing.observe", observe)
