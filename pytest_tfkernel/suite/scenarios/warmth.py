"""The same cells and the same death in a forked kernel and in one with an interpreter of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.suite.scenarios.portrait import PORTRAIT
from pytest_tfkernel.trials import examples
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "warm-equals-cold"
WARM, COLD = "forkserver", "subprocess"

_EXAMPLE = examples.find("variable_assign")
# Another folder than pytest's, to work in and for temporary files: neither may be the fork server's.
_FOLDER = "/var/tmp"  # noqa: S108 - nothing is kept there
# Survived, in this order, before the fault of the setting.
_ERRORS = ("index-error", "tf-index-error", "oom-memory-error")


@dataclass(frozen=True, kw_only=True)
class Portraits:
    """What each kernel showed, by the same names: whatever one shows is compared with the other."""

    forkserver: dict[str, Any] = UNSEEN
    subprocess: dict[str, Any] = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Portraits]:
    """Live and die in a forked kernel, and in a fresh one."""
    notes = Recorder(Portraits)

    def script(start: Starts) -> None:
        lives: dict[str, dict[str, Any]] = {}
        environment = {**spec.environment, "TMPDIR": _FOLDER}
        for provisioner in (WARM, COLD):
            began = time.monotonic()
            kernel = start(provisioner=provisioner, environment=environment, folder=_FOLDER)
            lives[provisioner] = _life(kernel, setting.fault)
            lives[provisioner]["times"] = time.monotonic() - began
            notes.note(**lives)
        # Thousands of names, of which only those matter that the other one lacks.
        warm, cold = (set(lives[provisioner]["modules"]) for provisioner in (WARM, COLD))
        lives[WARM]["modules"], lives[COLD]["modules"] = sorted(warm - cold), sorted(cold - warm)

    return perform(setting, stage, spec, notes, script)


def _life(kernel: Kernel, fault: str) -> dict[str, Any]:
    seen: dict[str, Any] = {**value(kernel, examples.LOOK), **value(kernel, PORTRAIT)}
    seen["result"] = value(kernel, _EXAMPLE.run)["result"]
    seen["operations after"] = value(kernel, examples.COUNT_OPERATIONS)
    for error in _ERRORS:
        seen[error] = _error_of(kernel, error)
    seen["held after errors"] = value(kernel, _EXAMPLE.again)
    value(kernel, examples.SPEAK)
    died = kernel.inject(fault).post_mortem
    if died is None:
        raise CellFailedError(f"the kernel ({kernel.spec.made_by.name}) survived {fault}")
    seen |= {
        "exit status": str(died.exit_status),
        "cause": died.cause.value,
        "killer": died.killer.value,
        "note": died.note,
        "last cell": died.last_cell,
        "stack": died.stack,
        "stdout": died.stdout,
        "stderr": died.stderr,
        "last words": examples.LAST_WORDS in died.stderr,
        "leftovers": [str(one) for one in kernel.leftovers()],
        "max_rss": died.usage.max_rss if died.usage is not None else None,
    }
    return seen


def _error_of(kernel: Kernel, fault: str) -> list[str]:
    reply = kernel.inject(fault).reply
    if reply is None or reply.error is None:
        raise CellFailedError(f"{fault} gave no error")
    return [reply.error.type, reply.error.message.partition("\n")[0]]


WARM_EQUALS_COLD = Scenario(
    NAME,
    "one trial on a forked and on a fresh interpreter",
    (Setting(WARM, NAME, "sigkill"),),
    play,
)
