"""What a check is: a name, and a function that looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_tfkernel.gpu_report.bench import Bench
from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.trials.cells import CellFailedError


@dataclass(frozen=True)
class Check:
    """One look at a card. `harm` is the fault that must be allowed by name; others on the GPU forbid it."""

    name: str
    look: Callable[[Bench], Verdict]
    harm: str = ""

    def play(self, bench: Bench) -> Verdict:
        """What was seen; UNKNOWN, with the reason, where it could not be looked at."""
        try:
            others = bench.now().processes if self.harm else ()
            if others:
                pids = ", ".join(str(one.pid) for one in others)
                return Verdict.unknown(f"it may harm others, and processes that aren't ours use the GPU: {pids}")
            return self.look(bench)
        except (CellFailedError, TFKernelError) as error:
            return Verdict.unknown(str(error).splitlines()[0] if str(error) else type(error).__name__)
