"""Coverage of supervisors, which begin without site, and so without coverage's own start."""

from __future__ import annotations

import os
from pathlib import Path


def is_measured() -> bool:
    """Whether coverage is measured here (`tox -e coverage`), and in what starts from here."""
    return "COVERAGE_PROCESS_CONFIG" in os.environ


def measure_supervisors() -> None:
    """Where coverage is measured, supervisors of this pytest process are measured too."""
    if not is_measured():
        return
    import coverage

    from pytest_tfkernel.processes import supervisor

    os.environ["TFKERNEL_TEST_COVERAGE"] = str(Path(coverage.__file__).parents[1])
    supervisor.CHILD_FOLDER = Path(__file__).parent / "measured_child/pytest_tfkernel/_child"
