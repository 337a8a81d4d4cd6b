"""Kernels that die in the hands of their host: what its restarter makes of that."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import Any

from pytest_tfkernel.kernels import phases
from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Facts, Setting
from pytest_tfkernel.suite.scenarios import hosted
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Start, perform
from pytest_tfkernel.suite.scenarios.scratch import scratch_folder
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.stage import Stage

LIMIT, STARTS, RESTARTS = "restart-limit-is-kept", "struck-starts", "restarts"

# Two more deaths than it takes for the restarter to give up: one that doesn't is seen.
_MOST_DEATHS = 8
_FRONTEND_SECONDS = 20.0

_LEAVE_A_MARK = "_tfkernel_mine = 2.0"
_LOOK = "import os\n{'answered': os.getpid(), 'blank': '_tfkernel_mine' not in globals()}"

# IPython runs the file that PYTHONSTARTUP names before it answers anything.
_STRUCK_AT_START = """\
import os
if os.path.exists({flag!r}):
    os.remove({flag!r})
    os.kill(os.getpid(), {number})
"""

_CONNECTION = "from ipykernel.connect import get_connection_file\nget_connection_file()"
# Another frontend of the same kernel, as `jupyter console --existing` is one.
_CONNECT = """\
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient(connection_file={connection!r})
client.load_connection_file()
client.start_channels()
def ask(seconds):
    info = client.kernel_info(reply=True, timeout=seconds)["content"]
    asked = {{"pid": "__import__('os').getpid()"}}
    said = client.execute("", silent=True, user_expressions=asked, reply=True, timeout=seconds)["content"]
    pid = said["user_expressions"]["pid"].get("data", {{}}).get("text/plain", "0")
    return {{"status": info["status"], "language": info["language_info"]["name"], "pid": int(pid)}}
"""


def play_limit(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """`deaths`: of each how it `ended`, and after how many `seconds` there was a new process.

    There is none after the last: `said` is what the host said of that. `next` is what a person's restart gave then.
    """

    def script(start: Start, facts: dict[str, Any]) -> None:
        kernel = start()
        facts["deaths"] = []
        for _ in range(_MOST_DEATHS):
            began = time.monotonic()
            death: dict[str, Any] = {"ended": hosted.ended(kernel.inject(setting.fault).post_mortem)}
            facts["deaths"].append(death)
            if kernel.is_alive:
                break
            try:
                kernel.restart(asked=False)
            except KernelStartError as error:
                facts["said"] = hosted.first_line(error)
                break
            death["seconds"] = time.monotonic() - began
        facts["next"] = _successor(kernel, asked=True)

    return perform(setting, stage, spec, script)


def play_starts(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """`starting`: a new kernel dies before its first word; `restarting`: the process of a restart does.

    Of each how it `ended`, whether that was `in_phase`, and `next`: what its host started then.
    """

    def script(start: Start, facts: dict[str, Any]) -> None:
        kernel = start()
        value(kernel, _LEAVE_A_MARK)
        outcome = kernel.inject(setting.fault, phase=setting.phase)
        facts["starting"] = {"ended": hosted.ended(outcome.post_mortem), "in_phase": outcome.in_phase}
        facts["starting"]["next"] = _successor(kernel, asked=False)
        kernel.shutdown(now=True)
        with scratch_folder(stage.launcher) as folder:
            facts["restarting"] = _strike_restart(start, folder, spec, setting.fault)

    return perform(setting, stage, spec, script)


def _strike_restart(start: Start, folder: Path, spec: KernelSpec, fault: str) -> dict[str, Any]:
    hook, flag = folder / "startup.py", folder / "strike"
    number = menu.find(fault).signal
    hook.write_text(_STRUCK_AT_START.format(flag=str(flag), number=int(number or 0)), encoding="utf-8")
    kernel = start(environment={**spec.environment, "PYTHONSTARTUP": str(hook)})
    value(kernel, _LEAVE_A_MARK)
    before = kernel.life.process
    flag.touch()
    with contextlib.suppress(KernelStartError):
        kernel.restart()
    died = kernel.post_mortems[-1]
    return {
        "ended": hosted.ended(died),
        "in_phase": died.process != before and not flag.exists(),
        "next": _successor(kernel, asked=False),
    }


def play_restarts(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """`deaths`: two in a row, of each how it `ended`, and `next`: what its host started then.

    `frontend`: what another frontend heard `before` and `after` a restart that was asked for, with the pids that were
    `told`; `next` is what we saw of that process.
    """

    def script(start: Start, facts: dict[str, Any]) -> None:
        kernel = start()
        facts["deaths"] = []
        for _ in range(2):
            value(kernel, _LEAVE_A_MARK)
            ended = hosted.ended(kernel.inject(setting.fault).post_mortem)
            facts["deaths"].append({"ended": ended, "next": _successor(kernel, asked=False)})
        value(kernel, _LEAVE_A_MARK)
        frontend = start(
            provisioner="subprocess", python=sys.executable, startup="", restart_poll=None, kernelspec=None
        )
        value(frontend, _CONNECT.format(connection=value(kernel, _CONNECTION)))
        seen: dict[str, Any] = {"before": _heard(frontend), "told": [kernel.pid]}
        seen["next"] = _successor(kernel, asked=True)
        seen["told"].append(kernel.pid)
        facts["frontend"] = {**seen, "after": _heard(frontend)}

    return perform(setting, stage, spec, script)


def _successor(kernel: Kernel, *, asked: bool) -> dict[str, Any]:
    """What the next process shows: the pid that was `told` and the one that `answered`, and whether it was `blank`.

    `error` instead, when there is none. `seconds` until it answered.
    """
    if kernel.is_alive and not asked:
        return {"error": "the one before it lives"}
    began = time.monotonic()
    try:
        kernel.restart(asked=asked)
        seen = value(kernel, _LOOK)
    except (KernelStartError, CellFailedError) as error:
        return {"error": hosted.first_line(error)}
    seconds = time.monotonic() - began
    return {"told": kernel.pid, "generation": kernel.generation, "seconds": seconds, **seen}


def _heard(frontend: Kernel) -> dict[str, Any]:
    try:
        heard: dict[str, Any] = value(frontend, f"ask({_FRONTEND_SECONDS})", 3 * _FRONTEND_SECONDS)
    except CellFailedError as error:
        return {"error": str(error)}
    return heard


RESTART_LIMIT = Scenario(
    LIMIT, "deaths in a row, until the host gives up", hosted.settings(LIMIT, "sigkill"), play_limit
)
STRUCK_STARTS = Scenario(
    STARTS, "deaths before the first word", hosted.settings(STARTS, "sigkill", phases.STARTING), play_starts
)
TWO_DEATHS = Scenario(
    RESTARTS,
    "two deaths in a row, and a restart that another frontend sees",
    hosted.settings(RESTARTS, "sigkill"),
    play_restarts,
)
