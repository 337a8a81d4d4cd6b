"""An import of TensorFlow that the host of its kernel interrupts."""

from __future__ import annotations

from pytest_tfkernel.kernels import phases
from pytest_tfkernel.model.errors import KernelDied
from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios import hosted
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.suite.scenarios.imports import DIED, INTERRUPTED, WORKS, Imports
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "hosted-import-is-repeatable"

_IMPORT = "import tensorflow as tf\ntf.constant(1.0).shape.rank"


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Imports]:
    """As the scenario `import-is-repeatable`; the interrupt is that of the host's own menu."""
    notes = Recorder(Imports)

    def script(start: Starts) -> None:
        kernel = start()
        marks: list[str] = []

        def on_mark(name: str) -> None:
            marks.append(name)
            if name == "in":
                kernel.interrupt()

        try:
            reply = kernel.execute_marked(phases.find(setting.phase).cell, on_mark)
            notes.note(interrupted=_imported(reply.error))
        except KernelDied:
            notes.note(interrupted=DIED)
        notes.note(in_phase=marks == ["in"])
        notes.note(again=_imported(kernel.execute(_IMPORT).error) if kernel.is_alive else DIED)
        kernel.restart(asked=kernel.is_alive)
        notes.note(fresh=_imported(kernel.execute(_IMPORT).error))

    return perform(setting, stage, spec, notes, script)


def _imported(error: object) -> str:
    if error is None:
        return WORKS
    return INTERRUPTED if str(error).startswith("KeyboardInterrupt") else hosted.first_line(error)


HOSTED_IMPORT = Scenario(
    NAME,
    "an import of TensorFlow that the host interrupts, and the ones after it",
    hosted.settings(NAME, "interrupt", "importing"),
    play,
)
