"""On which card and with what a report was made."""

from __future__ import annotations

import importlib.metadata
import os
import platform

import msgspec

from pytest_tfkernel.model.gpus import Calibration, is_stand_in
from pytest_tfkernel.model.kernels import Interpreter

# For people, wherever such a driver is named.
STAND_IN = "stand-in driver: nothing here was measured on a GPU"


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The visible GPUs, their driver, and what NVML shows of processes there (see `model.gpus.Calibration`).

    `stand_in`: the driver says of itself that it only stands in for NVIDIA's.
    """

    names: list[str]
    driver: str
    stand_in: bool = False
    sight: str = ""
    thread_ids: bool = False
    per_process: str | None = None
    advisory: str = ""
    mps: bool = False
    notes: list[str] = []

    @classmethod
    def of(cls, known: Calibration) -> Card:
        """Those of a session."""
        return cls(
            names=list(known.names),
            driver=known.driver,
            stand_in=is_stand_in(*known.names, known.driver),
            sight=known.sight.value,
            thread_ids=known.thread_ids,
            per_process=known.per_process.value if known.per_process is not None else None,
            advisory=known.advisory,
            mps=known.mps,
            notes=list(known.notes),
        )

    def __str__(self) -> str:
        """For people, in one line."""
        words = f"{', '.join(self.names)}, driver {self.driver}"
        return f"{words} ({STAND_IN})" if self.stand_in else words


class Setup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must be the same in all parts of a report. `cuda` is the version for which TensorFlow was built.

    `version` is our own; `python` is that of the kernels.
    """

    card: Card
    linux: str
    architecture: str
    cpus: int
    python: str
    version: str
    tensorflow: str | None = None
    cuda: str | None = None

    @classmethod
    def of(cls, known: Calibration, interpreter: Interpreter) -> Setup:
        """The one that we are on."""
        return cls(
            card=Card.of(known),
            linux=platform.release(),
            architecture=platform.machine(),
            cpus=len(os.sched_getaffinity(0)),
            python=".".join(map(str, interpreter.version)),
            version=importlib.metadata.version("pytest-tfkernel"),
            tensorflow=interpreter.tensorflow,
            cuda=interpreter.cuda,
        )

    def differs(self, other: Setup) -> str:
        """What is not the same there, in words; empty where nothing is that matters."""
        pairs = {
            "GPU": (", ".join(self.card.names), ", ".join(other.card.names)),
            "driver": (self.card.driver, other.card.driver),
            "Linux": (self.linux, other.linux),
            "TensorFlow": (self.tensorflow or "none", other.tensorflow or "none"),
            "Python": (self.python, other.python),
            "pytest-tfkernel": (self.version, other.version),
        }
        return "; ".join(f"{name} {one}, and here {two}" for name, (one, two) in pairs.items() if one != two)
