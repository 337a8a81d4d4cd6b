"""A kernel that saves, is killed in a save, and is followed by one that restores; again and again."""

from __future__ import annotations

import dataclasses
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import KernelDied
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.processes.waits import Event
from pytest_tfkernel.suite.scenarios import checkpoint_cells
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.suite.scenarios.scratch import scratch_folder
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

# Where in a save the kills fall: when its first file has been seen, and at parts of the time it takes.
AT_FILES = "files"
MOMENTS: tuple[str | float, ...] = (AT_FILES, 0.2, 0.5, 0.8)
_TRIES = 5
# The first saves of a process are complete, and say how long one takes.
_MEASURED = 2
# A save may be over when its moment comes; then the next one is struck.
_SAVES = 20
_LOOK_SECONDS = 0.001


@dataclass(frozen=True, kw_only=True)
class Restored:
    """The number of the `newest` checkpoint and what was `read` of it, None where there is none; or an `error`."""

    newest: int | None = UNSEEN
    read: list[float] | None = UNSEEN
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class SaveDeath:
    """A kernel that was killed at a `moment` of a save, and what the next one found `after` it.

    `complete`: the last complete save; `saving`: the one that was struck, if it wasn't over; `delay`: after how many
    seconds of it; `save_seconds`: what one takes; `unfinished`: its files; `ended`: how the kernel did.
    """

    moment: str | float
    complete: int | None
    saving: int | None
    delay: float | None
    save_seconds: float | None
    unfinished: list[str]
    ended: str | None
    after: Restored = UNSEEN


@dataclass(frozen=True, kw_only=True)
class Saves:
    """The `moments` of saves that were to be struck, and the `deaths`."""

    moments: list[str | float] = UNSEEN
    deaths: list[SaveDeath] = UNSEEN


class SaveStrike:
    """Listens to the marks of a kernel that keeps saving, and kills it at a moment of a save."""

    def __init__(self, kernel: Kernel, folder: Path, moment: str | float) -> None:
        self._life = kernel.life
        self._folder = folder
        self._moment = moment
        self._seconds: list[float] = []
        self.complete: int | None = None
        self.saving: int | None = None
        self.delay: float | None = None

    def __call__(self, mark: str) -> None:
        """Hear `in N` or `out N SECONDS`."""
        kind, number, *seconds = mark.split()
        if kind == "out":
            self._seconds += map(float, seconds)
            self.complete, self.saving = int(number), None
            return
        began, self.saving = time.monotonic(), int(number)
        if len(self._seconds) >= _MEASURED and self._await_moment():
            self.delay = time.monotonic() - began
            self._life.signal(signal.SIGKILL)

    def _await_moment(self) -> bool:
        """False when the save was over before, of which its next mark tells."""
        if isinstance(self._moment, float):
            return self._life.wait(self._moment * min(self._seconds)) is not Event.READABLE
        while self._life.wait(_LOOK_SECONDS) is not Event.READABLE:
            if unfinished(self._folder, self.saving):
                return True
        return False

    def death(self, ended: str | None) -> SaveDeath:
        """What was seen of it, which `ended` so."""
        return SaveDeath(
            moment=self._moment,
            complete=self.complete,
            saving=self.saving,
            delay=self.delay,
            save_seconds=min(self._seconds, default=None),
            unfinished=unfinished(self._folder, self.saving),
            ended=ended,
        )


def unfinished(folder: Path, number: int | None) -> list[str]:
    """The files of checkpoint `number` that its save would have renamed or removed."""
    names = (path.name for path in folder.iterdir())
    return sorted(name for name in names if name.startswith(f"ckpt-{number}") and "temp" in name)


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Saves]:
    """Kill a kernel at each moment of its saves, again if that was missed, and let the next one restore."""
    notes = Recorder(Saves)

    def script(start: Starts) -> None:
        with scratch_folder(stage.launcher) as folder:
            deaths: list[SaveDeath] = []
            notes.note(moments=list(MOMENTS), deaths=deaths)
            prepare = checkpoint_cells.prepare(setting.example, folder)
            kernel, first = start(), 1
            value(kernel, prepare)
            for moment in (moment for moment in MOMENTS for _ in range(_TRIES)):
                if any(death.moment == moment and struck(death) for death in deaths):
                    continue
                death = _killed(kernel, folder, moment, first)
                deaths.append(death)
                kernel.restart()
                value(kernel, prepare)
                after = _restored(kernel)
                deaths[-1] = dataclasses.replace(death, after=after)
                if after.error is not None or after.newest is None:
                    return
                first = max(after.newest, death.saving or 0) + 1

    return perform(setting, stage, spec, notes, script)


def struck(death: SaveDeath) -> bool:
    """Whether the kernel died at the moment that was meant."""
    return death.saving is not None and bool(death.unfinished or death.moment != AT_FILES)


def _killed(kernel: Kernel, folder: Path, moment: str | float, first: int) -> SaveDeath:
    strike = SaveStrike(kernel, folder, moment)
    ended = None
    try:
        reply = kernel.execute_marked(checkpoint_cells.keep_saving(first, _SAVES), strike)
    except KernelDied as died:
        ended = str(died.post_mortem.exit_status)
    else:
        if reply.error is not None:
            raise CellFailedError(f"it could not save: {str(reply.error).splitlines()[0]}")
        kernel.shutdown(now=True)
    return strike.death(ended)


def _restored(kernel: Kernel) -> Restored:
    try:
        return Restored(**value(kernel, checkpoint_cells.RESTORE))
    except CellFailedError as error:
        return Restored(error=str(error))


_TITLES = {
    "checkpoint-outlives-saver": "tf.compat.v1.train.Saver, killed in its saves",
    "checkpoint-outlives-eager": "tf.train.Checkpoint in eager mode, killed in its saves",
    "checkpoint-outlives-graph": "tf.train.Checkpoint in a graph, killed in its saves",
}
CHECKPOINTS = tuple(
    Scenario(name, title, (Setting("forkserver", name, "sigkill", "saving"),), play) for name, title in _TITLES.items()
)
