"""The index of a report: which parts were begun, how each of them ended, and what was left out and why."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from pytest_tfkernel.gpu_report.machine import Setup
from pytest_tfkernel.gpu_report.writing import ReportError, read

FORMAT = "pytest-tfkernel gpu report"
# Goes up when a reader of the last one would misread a new index.
SCHEMA = 1
NAME = "index.json"

# `running` is what a killed command leaves.
StepState = Literal["running", "done", "cut", "broken", "skipped"]


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt at a part. `began` is a time of day, as ISO 8601 in UTC; `why` says why it isn't `done`.

    `document` and `log` are names of files in the folder, `exit` is an exit code, `signal` what ended it otherwise.
    """

    part: str
    state: StepState
    began: str = ""
    command: list[str] = []
    document: str = ""
    log: str = ""
    seconds: float | None = None
    exit: int | None = None
    signal: str | None = None
    why: str = ""


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. A part that was tried again has several steps."""

    format: str
    schema: int
    machine: Setup
    steps: list[Step]

    @classmethod
    def new(cls, setup: Setup) -> Index:
        """That of a report in which nothing has begun."""
        return cls(format=FORMAT, schema=SCHEMA, machine=setup, steps=[])

    def done(self, part: str) -> Step | None:
        """The step that has all of a part."""
        return next((step for step in self.steps if step.part == part and step.state == "done"), None)

    def with_step(self, step: Step) -> Index:
        """With one more."""
        return msgspec.structs.replace(self, steps=[*self.steps, step])

    def with_last(self, step: Step) -> Index:
        """With this one in the place of the last one."""
        return msgspec.structs.replace(self, steps=[*self.steps[:-1], step])


def load(path: Path) -> Index:
    """Read one. Raises ReportError."""
    try:
        return read(path, Index, form=FORMAT, schema=SCHEMA)
    except ReportError as error:
        raise ReportError(f"{error}: name another folder") from None
