"""The trial in which pytest itself is killed: a real pytest, with a kernel that left a daemon."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import Leftover, ProcessId
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.processes import scratch
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.output.captures import Capture
from pytest_tfkernel.processes.pidfds import wait_for_any
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.brood import Brood
from pytest_tfkernel.trials.stage import Stage

NAME, FAULT = "daemon", "runner-death"
DEADLINE = 2.0
_START_SECONDS = 60.0
_PACKAGE = Path(__file__).parents[2]
VICTIM = Path(__file__).with_name("victim.py")
# The runner is told by this variable which descriptor to write to when its kernel is ready.
READY = "PYTEST_TFKERNEL_READY"
_READY_DESCRIPTOR = 5

LookForSurvivors = Callable[[], Mapping[ProcessId, Leftover]]
Wait = Callable[[LookForSurvivors, float], Mapping[ProcessId, Leftover]]


@dataclass(frozen=True, kw_only=True)
class RunnerDeath:
    """How many processes the runner and its supervisor had `started`, and the `seconds` from its death to the look."""

    started: int = UNSEEN
    seconds: float = UNSEEN


@dataclass(frozen=True)
class Aftermath:
    """`started` are the processes that existed below the runner and its supervisor before it was killed.

    `survivors` are those of them, and those that they started, which lived `seconds` later.
    """

    started: tuple[Leftover, ...]
    survivors: tuple[Leftover, ...]
    seconds: float


class NotKilledError(Exception):
    """No runner was killed; the text says why."""


def await_end(
    look: LookForSurvivors, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Mapping[ProcessId, Leftover]:
    """Look until nothing is there, or `seconds` have passed; what is there then, zombies too."""
    deadline = clock() + seconds
    while found := look():
        remaining = deadline - clock()
        if remaining <= 0:
            break
        wait_for_any(list(found), remaining)
    return found


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[RunnerDeath]:
    """The trial with a kernel that has left a daemon; see `play_with`."""
    return play_with(VICTIM, setting, stage, spec)


def play_with(
    victim: Path, setting: Setting, stage: Stage, spec: KernelSpec, wait: Wait = await_end
) -> Facts[RunnerDeath]:
    """Kill the pytest that runs the test file `victim`, and look."""
    try:
        after = kill(victim, stage.launcher, wait)
    except NotKilledError as error:
        return Facts(setting, stage.launcher.interpreter(spec.python), RunnerDeath(), str(error))
    facts = RunnerDeath(started=len(after.started), seconds=after.seconds)
    return Facts(setting, stage.launcher.interpreter(spec.python), facts, left=after.survivors)


def kill(victim: Path, launcher: Launcher, wait: Wait = await_end) -> Aftermath:
    """Start a pytest, wait until its kernel has left a daemon, kill it, and look.

    `victim` is the test file that it runs: it must write one line to the descriptor `READY`, with the pids of what
    must be gone whoever its parent is then. `wait` is how the deadline is waited for.
    Raises NotKilledError, and SupervisorGoneError when there is nobody to start it.
    """
    lease = launcher.new_lease()
    brood = Brood(launcher.supervisor)
    log = Capture("runner")
    reader, writer = os.pipe()
    runner: ProcessId | None = None
    try:
        runner = _start(launcher, victim, lease, log, writer)
        os.close(writer)
        said = _read_line(reader)
        if not said:
            words = log.read(0, 4096)[0].strip().splitlines()
            raise NotKilledError(f"no runner came up to be killed: {words[-1:]}")
        gone = brood.expect([int(word) for word in said.split() if word.isdigit()], runner)
        if gone:
            raise NotKilledError(f"had ended before the runner was killed: process {gone[0]}")
        started = brood.look()
        launcher.supervisor.signal(runner, signal.SIGKILL)
        killed = time.monotonic()
        survivors = wait(brood.look, DEADLINE)
        seconds = time.monotonic() - killed
        return Aftermath(tuple(started.values()), tuple(survivors.values()), seconds)
    except (TFKernelError, OSError) as error:
        raise NotKilledError(f"the runner could not be started and killed: {error}") from None
    finally:
        os.close(reader)
        log.close()
        brood.end()
        if runner is not None:
            scratch.remove_of(runner.pid, launcher.temporary)


def _start(launcher: Launcher, victim: Path, lease: int, log: Capture, ready: int) -> ProcessId:
    # A pytest of its own, whatever plugins and options the one around it has.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join([str(_PACKAGE.parent), environment.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        "PYTHONDONTWRITEBYTECODE": "1",
        READY: str(_READY_DESCRIPTOR),
        "TMPDIR": str(launcher.temporary),
    }
    options = ["-p", "pytest_tfkernel.plugin.hooks", "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull]
    return launcher.supervisor.start(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(victim.parent), str(victim)],
        environment,
        Order(lease, str(victim.parent)),
        {1: log.descriptor, 2: log.descriptor, _READY_DESCRIPTOR: ready},
    )


def _read_line(reader: int) -> bytes:
    """What the runner wrote; nothing when it ended or took too long."""
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    return os.read(reader, 4096) if poll.poll(_START_SECONDS * 1000) else b""


DAEMON = Scenario(
    NAME, "SIGKILL to a pytest whose kernel has left a daemon", (Setting("subprocess", NAME, FAULT),), play
)
