"""Two kernels at once: one is injured, or both use the same name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.faults import Dies
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.trials import examples
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.examples import Example
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

UNHARMED = "neighbour-is-unharmed"
PRIVATE = "names-are-private"
# What the two kernels write in turns, far from what the example itself writes.
WRITTEN = ((10.0, 20.0), (11.0, 21.0), (12.0, 22.0))

_FAULTS = ("sigkill", "oom-kill", "sigsegv", "index-error-script")
_EXAMPLE = examples.find("variable_assign")


@dataclass(frozen=True, kw_only=True)
class SessionAnswer:
    """Who answered in a kernel (`pid`), and the `value` that its session held; or an `error`."""

    pid: int = UNSEEN
    value: Any = UNSEEN
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """What it answers `before` and `after` the `death` of the other kernel, and what that had to be (`expected`).

    Where that one died it was `restarted` and gave this, and the neighbour was asked `again`.
    """

    before: SessionAnswer = UNSEEN
    after: SessionAnswer = UNSEEN
    expected: str = UNSEEN
    death: str = UNSEEN
    as_expected: bool = UNSEEN
    restarted: Any = None
    again: SessionAnswer | None = None


@dataclass(frozen=True, kw_only=True)
class Namesakes:
    """Pairs of what two kernels `read` after each pair of `WRITTEN`, and what the example gave `later`, in a third one.

    `names` are those of the variable in the three graphs, and `last` what the first two read at the end.
    """

    read: list[list[Any]] = UNSEEN
    later: Any = UNSEEN
    last: list[Any] = UNSEEN
    names: list[str] = UNSEEN


def play_unharmed(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Neighbour]:
    """Injure one of two kernels, and ask the other one before and after."""
    notes = Recorder(Neighbour)

    def script(start: Starts) -> None:
        injured, neighbour = start(), start()
        for kernel in (injured, neighbour):
            _run(kernel, _EXAMPLE)
        notes.note(before=_ask(neighbour))
        fault = menu.find(setting.fault)
        died = injured.inject(fault).post_mortem
        notes.note(after=_ask(neighbour), expected=str(fault.expects))
        notes.note(death=died.headline() if died is not None else "")
        notes.note(
            as_expected=died is not None
            and isinstance(fault.expects, Dies)
            and (died.exit_status, died.cause) == (fault.expects.status, fault.expects.cause)
        )
        if died is not None:
            injured.restart()
            notes.note(restarted=_run(injured, _EXAMPLE))
            notes.note(again=_ask(neighbour))

    return perform(setting, stage, spec, notes, script)


def play_private(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Namesakes]:
    """Write to a variable of the same name in two kernels, in turns, and then begin a third one."""
    notes = Recorder(Namesakes)

    def script(start: Starts) -> None:
        pair = (start(), start())
        for kernel in pair:
            _run(kernel, _EXAMPLE)
        read: list[list[Any]] = []
        notes.note(read=read)
        for written in WRITTEN:
            for kernel, number in zip(pair, written, strict=True):
                value(kernel, f"session.run(my_variable.assign({number!r}))")
            read.append([value(kernel, _EXAMPLE.again) for kernel in pair])
        third = start()
        notes.note(later=_run(third, _EXAMPLE))
        notes.note(last=[value(kernel, _EXAMPLE.again) for kernel in pair])
        notes.note(names=[value(kernel, "my_variable.name") for kernel in (*pair, third)])

    return perform(setting, stage, spec, notes, script)


def _run(kernel: Kernel, example: Example) -> Any:
    value(kernel, examples.LOOK)
    return value(kernel, example.run)["result"]


def _ask(kernel: Kernel) -> SessionAnswer:
    try:
        pid, held = value(kernel, f"import os\n[os.getpid(), {_EXAMPLE.again}]")
    except CellFailedError as error:
        return SessionAnswer(error=str(error))
    return SessionAnswer(pid=pid, value=held)


NEIGHBOUR_IS_UNHARMED = Scenario(
    UNHARMED,
    "a second kernel while the first one dies",
    tuple(Setting("forkserver", UNHARMED, fault) for fault in _FAULTS),
    play_unharmed,
)
NAMES_ARE_PRIVATE = Scenario(
    PRIVATE,
    "one name of a variable in several kernels",
    (Setting("forkserver", PRIVATE, "none"),),
    play_private,
)
