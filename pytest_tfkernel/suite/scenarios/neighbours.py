"""Two kernels at once: one is injured, or both use the same name."""

from __future__ import annotations

from typing import Any

from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.faults import Dies
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Facts, Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Start, perform
from pytest_tfkernel.trials import examples
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.examples import Example
from pytest_tfkernel.trials.stage import Stage

UNHARMED = "neighbour-is-unharmed"
PRIVATE = "names-are-private"
# What the two kernels write in turns, far from what the example itself writes.
WRITTEN = ((10.0, 20.0), (11.0, 21.0), (12.0, 22.0))

_FAULTS = ("sigkill", "oom-kill", "sigsegv", "index-error-script")
_EXAMPLE = examples.find("variable_assign")


def play_unharmed(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """`death`: the injured kernel's; `expected`: what it had to be; and of its neighbour, before and after.

    `before`, `after` and `again` have `pid` and `value` of the open session, or `error`. `again` is after
    the injured kernel has started anew and run the example once more.
    """

    def script(start: Start, facts: dict[str, Any]) -> None:
        injured, neighbour = start(), start()
        for kernel in (injured, neighbour):
            _run(kernel, _EXAMPLE)
        facts["before"] = _ask(neighbour)
        fault = menu.find(setting.fault)
        died = injured.inject(fault).post_mortem
        facts["after"] = _ask(neighbour)
        facts["expected"] = str(fault.expects)
        facts["death"] = died.headline() if died is not None else ""
        facts["as_expected"] = (
            died is not None
            and isinstance(fault.expects, Dies)
            and (died.exit_status, died.cause) == (fault.expects.status, fault.expects.cause)
        )
        if died is not None:
            injured.restart()
            facts["restarted"] = _run(injured, _EXAMPLE)
            facts["again"] = _ask(neighbour)

    return perform(setting, stage, spec, script)


def play_private(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """`read`: pairs of what two kernels read after each pair of `WRITTEN`; `later`: the example in a third one.

    `names` are those of the variable in the three graphs, and `last` what the first two read at the end.
    """

    def script(start: Start, facts: dict[str, Any]) -> None:
        pair = (start(), start())
        for kernel in pair:
            _run(kernel, _EXAMPLE)
        facts["read"] = []
        for written in WRITTEN:
            for kernel, number in zip(pair, written, strict=True):
                value(kernel, f"session.run(my_variable.assign({number!r}))")
            facts["read"].append([value(kernel, _EXAMPLE.again) for kernel in pair])
        third = start()
        facts["later"] = _run(third, _EXAMPLE)
        facts["last"] = [value(kernel, _EXAMPLE.again) for kernel in pair]
        facts["names"] = [value(kernel, "my_variable.name") for kernel in (*pair, third)]

    return perform(setting, stage, spec, script)


def _run(kernel: Kernel, example: Example) -> Any:
    value(kernel, examples.LOOK)
    return value(kernel, example.run)["result"]


def _ask(kernel: Kernel) -> dict[str, Any]:
    try:
        pid, held = value(kernel, f"import os\n[os.getpid(), {_EXAMPLE.again}]")
    except CellFailedError as error:
        return {"error": str(error)}
    return {"pid": pid, "value": held}


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
