"""Kernels that die in the hands of their host: what its restarter makes of that."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.kernels import phases
from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios import hosted
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.suite.scenarios.scratch import scratch_folder
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.recorder import Recorder
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


@dataclass(frozen=True, kw_only=True)
class Successor:
    """The process after a death: the pid that was `told` and the one that `answered`, and whether it was `blank`.

    `error` instead, when there is none. `seconds` until it answered.
    """

    told: int = UNSEEN
    generation: int = UNSEEN
    seconds: float = UNSEEN
    answered: int = UNSEEN
    blank: bool = UNSEEN
    error: str | None = None


@dataclass(frozen=True)
class RowDeath:
    """How it `ended`, and after how many `seconds` there was a new process; there is none after the last one."""

    ended: str
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class RowOfDeaths:
    """The `deaths`, what the host `said` after the last one, and the `next` process, for which a person asked."""

    deaths: list[RowDeath] = UNSEEN
    said: str | None = None
    next: Successor = UNSEEN


@dataclass(frozen=True, kw_only=True)
class Struck:
    """How a process `ended`, whether that was before its first word (`in_phase`), and what its host started `next`."""

    ended: str
    in_phase: bool | None
    next: Successor = UNSEEN


@dataclass(frozen=True, kw_only=True)
class StruckStarts:
    """Of a new kernel (`starting`), and of the process of a restart (`restarting`)."""

    starting: Struck = UNSEEN
    restarting: Struck = UNSEEN


@dataclass(frozen=True)
class FollowedDeath:
    """How it `ended`, and what its host started `next`."""

    ended: str
    next: Successor


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a frontend heard of a kernel: its `status` and `language`, and the `pid` that a cell gave; or an `error`."""

    status: str = UNSEEN
    language: str = UNSEEN
    pid: int = UNSEEN
    error: str | None = None


@dataclass(frozen=True)
class Frontend:
    """What another frontend heard `before` and `after` a requested restart, the pids that were `told`, and `next`."""

    before: Heard
    told: list[int]
    next: Successor
    after: Heard


@dataclass(frozen=True, kw_only=True)
class TwoDeaths:
    """The `deaths`, one after the other, and the `frontend` that sees a restart."""

    deaths: list[FollowedDeath] = UNSEEN
    frontend: Frontend = UNSEEN


def play_limit(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[RowOfDeaths]:
    """Kill each new process until there is none, and ask for a restart then."""
    notes = Recorder(RowOfDeaths)

    def script(start: Starts) -> None:
        kernel = start()
        deaths: list[RowDeath] = []
        notes.note(deaths=deaths)
        for _ in range(_MOST_DEATHS):
            began = time.monotonic()
            deaths.append(RowDeath(hosted.ended(kernel.inject(setting.fault).post_mortem)))
            if kernel.is_alive:
                break
            try:
                kernel.restart(asked=False)
            except KernelStartError as error:
                notes.note(said=hosted.first_line(error))
                break
            deaths[-1] = RowDeath(deaths[-1].ended, time.monotonic() - began)
        notes.note(next=_successor(kernel, asked=True))

    return perform(setting, stage, spec, notes, script)


def play_starts(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[StruckStarts]:
    """Strike a new kernel before its first word, and then the process of a restart."""
    notes = Recorder(StruckStarts)

    def script(start: Starts) -> None:
        kernel = start()
        value(kernel, _LEAVE_A_MARK)
        outcome = kernel.inject(setting.fault, phase=setting.phase)
        struck = Struck(ended=hosted.ended(outcome.post_mortem), in_phase=outcome.in_phase)
        notes.note(starting=struck)
        notes.note(starting=dataclasses.replace(struck, next=_successor(kernel, asked=False)))
        kernel.shutdown(now=True)
        with scratch_folder(stage.launcher) as folder:
            notes.note(restarting=_strike_restart(start, folder, spec, setting.fault))

    return perform(setting, stage, spec, notes, script)


def _strike_restart(start: Starts, folder: Path, spec: KernelSpec, fault: str) -> Struck:
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
    return Struck(
        ended=hosted.ended(died),
        in_phase=died.process != before and not flag.exists(),
        next=_successor(kernel, asked=False),
    )


def play_restarts(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[TwoDeaths]:
    """Kill twice, and then ask for a restart while another frontend listens."""
    notes = Recorder(TwoDeaths)

    def script(start: Starts) -> None:
        kernel = start()
        deaths: list[FollowedDeath] = []
        notes.note(deaths=deaths)
        for _ in range(2):
            value(kernel, _LEAVE_A_MARK)
            ended = hosted.ended(kernel.inject(setting.fault).post_mortem)
            deaths.append(FollowedDeath(ended, _successor(kernel, asked=False)))
        value(kernel, _LEAVE_A_MARK)
        frontend = start(provisioner="subprocess", python=sys.executable, startup="")
        value(frontend, _CONNECT.format(connection=value(kernel, _CONNECTION)))
        before, told = _heard(frontend), kernel.pid
        after = _successor(kernel, asked=True)
        notes.note(frontend=Frontend(before, [told, kernel.pid], after, _heard(frontend)))

    return perform(setting, stage, spec, notes, script)


def _successor(kernel: Kernel, *, asked: bool) -> Successor:
    """What the next process shows."""
    if kernel.is_alive and not asked:
        return Successor(error="the one before it lives")
    began = time.monotonic()
    try:
        kernel.restart(asked=asked)
        seen = value(kernel, _LOOK)
    except (KernelStartError, CellFailedError) as error:
        return Successor(error=hosted.first_line(error))
    seconds = time.monotonic() - began
    return Successor(told=kernel.pid, generation=kernel.generation, seconds=seconds, **seen)


def _heard(frontend: Kernel) -> Heard:
    try:
        return Heard(**value(frontend, f"ask({_FRONTEND_SECONDS})", 3 * _FRONTEND_SECONDS))
    except CellFailedError as error:
        return Heard(error=str(error))


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
