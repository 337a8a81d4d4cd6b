"""Plays the parts of a report that are missing, and keeps the index."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from pytest_tfkernel.gpu_report import index as indices
from pytest_tfkernel.gpu_report.folder import Folder, names
from pytest_tfkernel.gpu_report.index import Index, Step, StepState
from pytest_tfkernel.gpu_report.machine import Setup
from pytest_tfkernel.gpu_report.outcomes import PartOutcome
from pytest_tfkernel.gpu_report.plan import LEAST, ReportPart, allot
from pytest_tfkernel.gpu_report.playing import INTERRUPTED, Ended
from pytest_tfkernel.gpu_report.writing import ReportError, write
from pytest_tfkernel.model.errors import KernelStartError


class Plays(Protocol):
    """What runs a command (`playing.Player`)."""

    def play(self, argv: Sequence[str], out: Path, err: Path, seconds: float) -> Ended:
        """See `playing.Player`."""


class Report:
    """A report in a folder: begun, or gone on with. Raises ReportError where that can't be.

    `say` takes a line for people.
    """

    def __init__(
        self,
        folder: Folder,
        setup: Setup,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._say = say
        self._clock = clock
        self.index = Index.new(setup)
        if folder.index.exists():
            self.index = indices.load(folder.index)
            differs = self.index.machine.differs(setup)
            if differs:
                raise ReportError(f"{folder.path} has a report of another place: {differs}: name a new folder")

    def play(self, parts: Sequence[ReportPart], seconds: float, player: Plays) -> bool:
        """Play what is missing, within this time; whether that was interrupted.

        Raises ReportError where the index can't be written.
        """
        deadline = self._clock() + seconds
        self._settle({part.name: part for part in parts})
        missing = [part for part in parts if self.index.done(part.name) is None]
        interrupted = False
        for number, part in enumerate(missing):
            left = allot(deadline - self._clock(), part, missing[number + 1 :])
            refused = part.refused or (f"{INTERRUPTED} before it" if interrupted else "")
            if not refused and left < LEAST:
                refused = "no time was left for it"
            if refused:
                self._add(Step(part=part.name, state="skipped", why=refused))
                self._say(f"{part.name}: left out: {refused}")
            else:
                interrupted = self._play(part, left, player)
        return interrupted

    def missing(self, parts: Sequence[ReportPart]) -> list[str]:
        """The parts that aren't there, but for those that were refused."""
        return [part.name for part in parts if not part.refused and self.index.done(part.name) is None]

    def red(self, parts: Sequence[ReportPart]) -> list[str]:
        """The parts in which something FAILs, or nothing PASSes."""
        return [part.name for part in parts if (step := self.index.done(part.name)) is not None and step.exit]

    def _settle(self, known: dict[str, ReportPart]) -> None:
        """What a command that was killed has left open is looked at; what was left out before, is asked for anew."""
        steps = [
            self._settled(step, known[step.part]) if step.state == "running" and step.part in known else step
            for step in self.index.steps
            if step.state != "skipped" or step.part not in known
        ]
        self.index = msgspec.structs.replace(self.index, steps=steps)
        write(self._folder.index, self.index)

    def _settled(self, step: Step, part: ReportPart) -> Step:
        outcome = part.judge(self._folder.path / step.document)
        if outcome.exit is not None:
            return msgspec.structs.replace(step, state="done", exit=outcome.exit)
        return msgspec.structs.replace(step, state="cut", why="gpu-report itself was ended")

    def _play(self, part: ReportPart, seconds: float, player: Plays) -> bool:
        """Play a part; whether it was interrupted."""
        document, aside, log = (self._folder.path / name for name in names(self._folder.name_for(part.name)))
        command = [str(word) for word in part.command(document)]
        began = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
        step = Step(part=part.name, state="running", began=began, command=command, document=document.name, log=log.name)
        self._add(step)
        self._say(f"{part.name}: begun, {seconds:.0f} s at most: {log.name}")
        try:
            ended = player.play(command, aside if part.prints else log, log, seconds)
        except KernelStartError as error:
            stopped = ""
            step = msgspec.structs.replace(step, state="broken", why=str(error))
        else:
            stopped = ended.stopped
            if part.prints and ended.status is not None and ended.status.code == 0:
                aside.replace(document)
            step = _ended(step, ended, part.judge(document))
        self.index = self.index.with_last(step)
        write(self._folder.index, self.index)
        self._say(_words(step))
        return stopped == INTERRUPTED

    def _add(self, step: Step) -> None:
        self.index = self.index.with_step(step)
        write(self._folder.index, self.index)


def _ended(step: Step, ended: Ended, outcome: PartOutcome) -> Step:
    status = ended.status
    state: StepState = "done" if outcome.exit is not None else "cut" if ended.stopped else "broken"
    why = "" if state == "done" else ended.stopped or f"{status or 'it could not be ended'}; {outcome.why}"
    return msgspec.structs.replace(
        step,
        state=state,
        seconds=round(ended.seconds, 1),
        exit=outcome.exit if outcome.exit is not None else status.code if status is not None else None,
        signal=str(status) if status is not None and status.signal is not None else None,
        why=why,
    )


def _words(step: Step) -> str:
    seconds = "" if step.seconds is None else f" after {step.seconds:.0f} s"
    if step.state == "done":
        return f"{step.part}: done{seconds}{', red' if step.exit else ''}: {step.document}"
    return f"{step.part}: {step.state}{seconds}: {step.why}; {step.log} has what was said"
