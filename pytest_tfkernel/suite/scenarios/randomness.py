"""Random draws in two kernels of one fork server, and in the successor of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.trials import examples
from pytest_tfkernel.trials.cells import value
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "random-state-is-fresh"

# Each is 48 bits or more, but for TensorFlow's float32, of which four are drawn. The name of a
# temporary file is the one that tempfile would try next: no file is made.
_DRAW = """\
def _tfkernel_draw():
    import os, random, secrets, tempfile, uuid
    import numpy
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tensor = [float(number) for number in session.run(tf.random.uniform([4]))]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        seeded = [float(number) for number in session.run(tf.random.uniform([4], seed=7))]
    return {
        "fresh": {
            "random": random.random(),
            "numpy.random": float(numpy.random.random_sample()),
            "numpy.random.RandomState": float(numpy.random.RandomState().random_sample()),
            "os.urandom": os.urandom(8).hex(),
            "secrets": secrets.token_hex(8),
            "uuid.uuid4": str(uuid.uuid4()),
            "uuid.uuid1": str(uuid.uuid1()),
            "tempfile": os.path.basename(tempfile.mktemp()),
            "tensorflow": tensor,
        },
        "seeded": seeded,
    }
_tfkernel_draw()
"""


@dataclass(frozen=True, kw_only=True)
class Draws:
    """What each source gave in each of three processes, and TensorFlow's with a seed (`seeded`)."""

    draws: list[dict[str, Any]] = UNSEEN
    seeded: list[list[float]] = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Draws]:
    """Draw in two kernels, and in the successor of the first one."""
    notes = Recorder(Draws)

    def script(start: Starts) -> None:
        draws: list[dict[str, Any]] = []
        seeded: list[list[float]] = []
        notes.note(draws=draws, seeded=seeded)
        first, second = start(), start()
        for kernel in (first, second, first):
            if draws and kernel is first:
                kernel.shutdown(now=True)
                kernel.restart()
            value(kernel, examples.LOOK)
            drawn = value(kernel, _DRAW)
            draws.append(drawn["fresh"])
            seeded.append(drawn["seeded"])

    return perform(setting, stage, spec, notes, script)


RANDOMNESS = Scenario(
    NAME,
    "random draws in several kernels",
    (Setting("forkserver", NAME, "none"),),
    play,
)
