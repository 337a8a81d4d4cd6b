"""How far a run is, for a program that waits for it: a line of JSON in a file for each step."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path

import pytest

from pytest_tfkernel.plugin.options import ID_PREFIX
from pytest_tfkernel.report.store import DocumentError, clean
from pytest_tfkernel.report.tracebacks import last_error

_LONGEST = 2000


class RunProgress:
    """Writes to the file, or nothing without one. Raises DocumentError where it can't be made.

    Lines are `{"collected": [trials, tests]}`, `{"done": [trials, tests]}` and `{"uncollected": [id, why]}`.
    """

    def __init__(self, name: str | None) -> None:
        self._path: Path | None = None
        self._trials: set[str] = set()
        self._tests = 0
        if name is not None:
            path = Path(name).absolute()
            try:
                path.write_bytes(b"")
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                raise DocumentError(f"--tfkernel-progress={name}: it can't be written: {why}") from None
            self._path = path

    def collected(self, ids: Collection[str]) -> None:
        """What there is to run."""
        trials = {_trial(one) for one in ids if one.startswith(ID_PREFIX)}
        self._write("collected", [len(trials), sum(not one.startswith(ID_PREFIX) for one in ids)])

    def uncollected(self, report: pytest.CollectReport) -> None:
        """What can't be collected, and why."""
        if self._path is not None:
            lines = [line for line in report.longreprtext.splitlines() if line.strip()]
            why = last_error(lines) or (lines or ["no reason was given"])[-1]
            self._write("uncollected", clean([report.nodeid, why[:_LONGEST]]))

    def done(self, nodeid: str) -> None:
        """One more verdict or test; a trial counts when its first verdict is there."""
        if nodeid.startswith(ID_PREFIX):
            self._trials.add(_trial(nodeid))
        else:
            self._tests += 1
        self._write("done", [len(self._trials), self._tests])

    def _write(self, kind: str, what: object) -> None:
        if self._path is None:
            return
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                os.write(descriptor, json.dumps({kind: what}).encode() + b"\n")
            finally:
                os.close(descriptor)
        except OSError:
            # Somebody sees less of the run; the run is the same.
            self._path = None


def _trial(nodeid: str) -> str:
    return nodeid[nodeid.find("[") + 1 :]
