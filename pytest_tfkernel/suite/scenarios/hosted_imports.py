"""An import of TensorFlow that the host of its kernel interrupts."""

from __future__ import annotations

from typing import Any

from pytest_tfkernel.kernels import phases
from pytest_tfkernel.model.errors import KernelDied
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Facts, Setting
from pytest_tfkernel.suite.scenarios import hosted
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Start, perform
from pytest_tfkernel.suite.scenarios.imports import DIED, INTERRUPTED, WORKS
from pytest_tfkernel.trials.stage import Stage

NAME = "hosted-import-is-repeatable"

_IMPORT = "import tensorflow as tf\ntf.constant(1.0).shape.rank"


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """As the scenario `import-is-repeatable`; the interrupt is that of the host's own menu."""

    def script(start: Start, facts: dict[str, Any]) -> None:
        kernel = start()
        marks: list[str] = []

        def on_mark(name: str) -> None:
            marks.append(name)
            if name == "in":
                kernel.interrupt()

        try:
            reply = kernel.execute_marked(phases.find(setting.phase).cell, on_mark)
            facts["interrupted"] = _imported(reply.error)
        except KernelDied:
            facts["interrupted"] = DIED
        facts["in_phase"] = marks == ["in"]
        facts["again"] = _imported(kernel.execute(_IMPORT).error) if kernel.is_alive else DIED
        kernel.restart(asked=kernel.is_alive)
        facts["fresh"] = _imported(kernel.execute(_IMPORT).error)

    return perform(setting, stage, spec, script)


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
