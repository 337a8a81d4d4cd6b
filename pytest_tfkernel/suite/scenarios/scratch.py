"""A folder for what the kernels of a scenario write."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pytest_tfkernel._child import removal
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import SupervisorGoneError


@contextlib.contextmanager
def scratch_folder(launcher: Launcher) -> Iterator[Path]:
    """An empty folder, removed with all that is in it afterwards, and also when pytest is killed before."""
    folder = Path(tempfile.mkdtemp(prefix="tfkernel-"))
    try:
        launcher.supervisor.hold(folder, contents=True)
        yield folder
    finally:
        removal.remove(str(folder))
        with contextlib.suppress(SupervisorGoneError):
            launcher.supervisor.release(folder)
