"""SIGINT in the middle of `import tensorflow`: what becomes of the import, and of the next one."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.suite.sizes import FULL
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "import-is-repeatable"
WORKS, INTERRUPTED, DIED = "works", "interrupted", "died"

_IMPORT = "import tensorflow as tf\ntf.constant(1.0).shape.rank"


@dataclass(frozen=True, kw_only=True)
class Imports:
    """What each import came to: the `interrupted` one, then `again` in that process, and `fresh` in the next one.

    Each is `works`, `interrupted`, `died`, or the first line of another error. `in_phase` says whether the
    interrupt struck in the import, and not after it.
    """

    in_phase: bool | None = UNSEEN
    interrupted: str = UNSEEN
    again: str = UNSEEN
    fresh: str = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Imports]:
    """Interrupt an import, and import again: in that process, and in the next one."""
    notes = Recorder(Imports)

    def script(start: Starts) -> None:
        kernel = start()
        outcome = kernel.inject(setting.fault, phase=setting.phase)
        notes.note(in_phase=outcome.in_phase)
        notes.note(interrupted=DIED if outcome.reply is None else _said(outcome.reply.error))
        notes.note(again=_import(kernel) if kernel.is_alive else DIED)
        kernel.restart()
        notes.note(fresh=_import(kernel))

    return perform(setting, stage, spec, notes, script)


def _import(kernel: Kernel) -> str:
    return _said(kernel.execute(_IMPORT).error)


def _said(error: object) -> str:
    if error is None:
        return WORKS
    line = str(error).splitlines()[0]
    return INTERRUPTED if line.startswith("KeyboardInterrupt") else line


INTERRUPTED_IMPORT = Scenario(
    NAME,
    "an import of TensorFlow that is interrupted, and the ones after it",
    (Setting("subprocess", NAME, "interrupt", "importing"),),
    play,
    FULL,
)
