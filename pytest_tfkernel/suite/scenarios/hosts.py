"""The same cells, errors and deaths in a kernel of each host that is installed, side by side."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.kernels.faults import cells
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.machine.capabilities import JUPYTER, MULTIPROCESS, SPYDER, hosts
from pytest_tfkernel.model.errors import KernelDied, KernelIsDead, KernelStartError, SpecError
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import Interpreter, KernelSpec, Reply
from pytest_tfkernel.model.processes import PostMortem
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.trials import examples
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "hosts-agree"
# All others are compared with this one.
STANDARD = "subprocess"
# What needs nothing but an interpreter, and what a package brings: its capability, and the provisioner.
OWN = (STANDARD, "forkserver")
_INSTALLED = ((MULTIPROCESS, "multiprocess-spawn"), (JUPYTER, JUPYTER), (SPYDER, SPYDER))

NOBODY, ITS_HOST = "nobody", "its host"
NO_SCRIPTS = "it runs no scripts"

_EXAMPLE = examples.find("variable_assign")
_ERRORS = ("index-error", "tf-index-error")
_SEMICOLON = "2.0;"
_NATIVE = "native words"
# Past Python's streams, as native code prints.
_PRINT_NATIVELY = f"import os\n_ = os.write(1, b'{_NATIVE}\\n')"
# What it says last, it says in the cell that kills it, at once.
_CRASH = f"{examples.SPEAK}\nimport ctypes\nctypes.string_at(0)"


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds from a signal to the post-mortem, and to the first reply of the process that its host then started."""

    noticed: float = UNSEEN
    restarted: float | None = None


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """What the kernel of each host showed, by the same names, as texts, numbers and truth values; `times` of each.

    `broken` says why one could not be played to its end, and `absent` why one was not played at all.
    """

    absent: dict[str, str] = UNSEEN
    hosts: dict[str, dict[str, Any]] = UNSEEN
    times: dict[str, Times] = UNSEEN
    broken: dict[str, str] = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[SideBySide]:
    """Live and die three deaths in a kernel of each host that is there."""
    notes = Recorder(SideBySide)

    def script(start: Starts) -> None:
        present, absent = _present(stage.launcher.interpreter(spec.python))
        shown: dict[str, dict[str, Any]] = {}
        waited: dict[str, Times] = {}
        broken: dict[str, str] = {}
        notes.note(absent=absent, hosts=shown, times=waited, broken=broken)
        for host in present:
            seen, times = shown.setdefault(host, {}), Recorder(Times)
            try:
                kernel = start(provisioner=host)
                _live(kernel, seen)
                _die_of_signal(kernel, setting.fault, seen, times)
                _die_of_crash(kernel, seen)
                _exit(kernel, seen)
                kernel.shutdown(now=True)
            except (CellFailedError, KernelStartError, KernelDied, KernelIsDead) as error:
                broken[host] = str(error).partition("\n")[0]
            finally:
                waited[host] = times.freeze()

    return perform(setting, stage, spec, notes, script)


def _present(interpreter: Interpreter) -> tuple[list[str], dict[str, str]]:
    """The provisioners that can be played, and why the others can't."""
    capabilities = hosts(interpreter)
    there = [made for package, made in _INSTALLED if capabilities[package].available]
    missing = {made: capabilities[package].reason for package, made in _INSTALLED if made not in there}
    return [*OWN, *there], missing


def _live(kernel: Kernel, seen: dict[str, Any]) -> None:
    """The example, errors that a kernel survives, and what a cell gives."""
    process = kernel.life.process
    _run(kernel, "the example gives", seen)
    for error in _ERRORS:
        reply = kernel.inject(error).reply
        raised = reply.error if reply is not None else None
        seen[f"error of {error}"] = raised.type if raised is not None else None
        seen[f"message of {error}"] = raised.message.partition("\n")[0] if raised is not None else None
    seen["the session after errors"] = value(kernel, _EXAMPLE.again)
    seen["the same process after errors"] = kernel.is_alive and kernel.life.process == process
    seen["the value of `2.0;`"] = value(kernel, _SEMICOLON)
    kernel.execute(_PRINT_NATIVELY)
    _listen(kernel.execute(examples.SPEAK), "a cell", seen)


def _die_of_signal(kernel: Kernel, fault: str, seen: dict[str, Any], times: Recorder[..., Times]) -> None:
    began = time.monotonic()
    died = kernel.inject(fault).post_mortem
    times.note(noticed=time.monotonic() - began)
    seen[f"{fault} ends it"] = _death(died)
    if died is None:
        raise CellFailedError(f"it survived {fault}")
    _listen(died, "the cell before death", seen)
    # A thread of ipykernel reads it, and may do so after the cell.
    seen["times that stdout has what native code wrote"] = died.stdout.count(_NATIVE)
    try:
        kernel.restart(asked=False)
    except KernelStartError:
        seen["who restarts it unasked"] = NOBODY
        kernel.restart()
    else:
        seen["who restarts it unasked"] = ITS_HOST
        times.note(restarted=time.monotonic() - began)
    seen["the next generation"] = kernel.generation
    _run(kernel, "the example gives again", seen)


def _die_of_crash(kernel: Kernel, seen: dict[str, Any]) -> None:
    try:
        reply = kernel.execute(_CRASH)
    except KernelDied as error:
        died = error.post_mortem
        seen["a crash ends it"] = _death(died)
        seen["the stack of a crash"] = "most recent call first" in died.stack
        _listen(died, "the cell that crashes", seen)
    else:
        raise CellFailedError(f"it survived a crash: {reply.error}")
    kernel.restart()


def _exit(kernel: Kernel, seen: dict[str, Any]) -> None:
    """The two ways of ending that are a matter of what runs the cell."""
    # Not as faults, which wait 10 s for a death that must come.
    seen["sys.exit() in a cell"] = _end_of(kernel, cells.EXIT)
    if not kernel.is_alive:
        kernel.restart()
    try:
        seen["an uncaught error of a script"] = _end_of(kernel, cells.INDEX_ERROR, interactive=False)
    except SpecError:
        seen["an uncaught error of a script"] = NO_SCRIPTS


def _run(kernel: Kernel, name: str, seen: dict[str, Any]) -> None:
    blank = value(kernel, examples.LOOK)
    seen[f"operations before {name}"] = blank["operations"]
    seen[name] = value(kernel, _EXAMPLE.run)["result"]
    seen[f"operations after {name}"] = value(kernel, examples.COUNT_OPERATIONS)
    seen[f"the session after {name}"] = value(kernel, _EXAMPLE.again)


def _listen(said: Reply | PostMortem, whose: str, seen: dict[str, Any]) -> None:
    seen[f"stdout has the words of {whose}"] = examples.LAST_WORDS in said.stdout
    seen[f"stderr has the words of {whose}"] = examples.LAST_WORDS in said.stderr


def _death(died: PostMortem | None) -> str:
    if died is None:
        return "it lives"
    return f"{died.exit_status} (cause: {died.cause.value}; killed by: {died.killer.value})"


def _end_of(kernel: Kernel, cell: str, *, interactive: bool = True) -> str:
    """How a cell ends its kernel, or that it doesn't. Raises SpecError."""
    try:
        error = kernel.execute(cell, interactive=interactive).error
    except KernelDied as died:
        return f"it dies of {died.post_mortem.exit_status}"
    return f"it lives, with {error.type if error is not None else 'no error'}"


HOSTS_AGREE = Scenario(
    NAME,
    "one life and three deaths, in a kernel of each host",
    (Setting(STANDARD, NAME, "sigkill"),),
    play,
)
