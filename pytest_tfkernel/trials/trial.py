"""A trial: one example injured by one fault, from a new kernel to its successor."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels import phases
from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.faults.fault import Fault
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import FaultNotPossibleError, KernelIsDead, KernelStartError
from pytest_tfkernel.model.faults import Dies
from pytest_tfkernel.model.kernels import KernelSpec, Outcome
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.provisioners import named
from pytest_tfkernel.model.trials import NO_FAULT, Generation, Observation, Setting
from pytest_tfkernel.trials import examples
from pytest_tfkernel.trials.auditing import KernelWatch
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.examples import Example
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage
from pytest_tfkernel.trials.timeline import Timeline

# A kernel that had left a phase before the fault struck is no evidence: it is played again.
_TRIES = 3


def play(setting: Setting, stage: Stage, spec: KernelSpec | None = None) -> Observation:
    """Start, run, inject, look, restart, run again. Every kernel of the trial has ended afterwards.

    `spec` is that of the kernel; its provisioner is the setting's. Raises KernelStartError or
    SpecError when there is no first kernel to look at.
    """
    given = spec or KernelSpec()
    chosen = dataclasses.replace(given, provisioner=named(setting.provisioner, like=given.made_by))
    for _ in range(_TRIES):
        seen = _play_once(setting, stage, chosen)
        if seen.outcome is None or seen.outcome.in_phase is not False:
            return seen
    missed = f"phase {setting.phase!r} was missed {_TRIES} times: the kernel had left it when the fault struck"
    return dataclasses.replace(seen, outcome=None, not_possible=missed)


@dataclass(frozen=True)
class _Play:
    """One trial while it is played: what is seen is noted in `seen`, and freezes at its end."""

    setting: Setting
    kernel: Kernel
    example: Example
    stage: Stage
    watch: KernelWatch
    timeline: Timeline
    seen: Recorder[..., Observation]

    def reached(self, name: str, at: float | None = None) -> None:
        """Note a moment, and what the kernel holds if it lives."""
        self.timeline.reached(name, self.kernel.life.process if self.kernel.is_alive else None, at)


def _play_once(setting: Setting, stage: Stage, spec: KernelSpec) -> Observation:
    stage.prepare()
    timeline = Timeline(stage.gpus.used_memory)
    watch = KernelWatch(stage.launcher, timeline=timeline)
    kernel = watch.start(spec)
    try:
        seen = Recorder(functools.partial(Observation, setting))
        play = _Play(setting, kernel, examples.find(setting.example), stage, watch, timeline, seen)
        play.reached("started")
        first = _run(play)
        seen.note(interpreter=stage.launcher.interpreter(spec.python), first=first)
        if setting.fault != NO_FAULT and not first.error:
            _strike(play, menu.find(setting.fault))
        seen.note(timeline=timeline.moments)
        return seen.freeze()
    finally:
        # An orderly exit of TensorFlow takes half a second, and nothing is looked at any more.
        kernel.shutdown(now=True)


def _run(play: _Play) -> Generation:
    """What a new process shows, and what the example gives in it."""
    kernel, gpus = play.kernel, play.stage.gpus
    seen = Recorder(functools.partial(Generation, kernel.life.process))
    try:
        blank = value(kernel, examples.LOOK)
        seen.note(imported=blank["imported"], operations_before=blank["operations"], session=blank["session"])
        given = value(kernel, play.example.run)
        details = given["details"]
        on_gpu = gpus.lists(kernel.life.process) if details.get("gpus") else None
        there = gpus.names if "gpus" in details else ()
        seen.note(result=given["result"], details=details, on_gpu=on_gpu, gpus=there)
        operations = value(kernel, examples.COUNT_OPERATIONS)
        seen.note(operations_after=operations, again=value(kernel, play.example.again))
    except CellFailedError as error:
        seen.note(error=str(error))
    return seen.freeze()


def _strike(play: _Play, fault: Fault) -> None:
    """All that comes of the fault."""
    play.seen.note(expects=fault.expects)
    deadly = isinstance(fault.expects, Dies)
    if deadly and play.stage.gpus.harm:
        play.seen.note(not_possible=play.stage.gpus.harm)
        return
    outcome = _inject(play, fault)
    if outcome is not None and play.kernel.is_alive:
        _ask_again(play)
    if deadly and not play.kernel.is_alive:
        _look(play)
    if deadly and outcome is not None:
        _restart(play)


def _inject(play: _Play, fault: Fault) -> Outcome | None:
    """What the fault did; None where it did not come."""
    kernel, phase = play.kernel, play.setting.phase
    try:
        if phases.find(phase).needs == phases.COLD:
            # Running the example has imported TensorFlow: it is the next process that is struck.
            kernel.restart()
        value(kernel, examples.SPEAK)
        play.reached("fault")
        outcome = kernel.inject(fault, phase=phase)
    except FaultNotPossibleError as error:
        play.seen.note(not_possible=str(error))
        return None
    except (CellFailedError, KernelStartError, KernelIsDead) as error:
        play.seen.note(not_possible=f"the kernel could not be used before the fault: {error}")
        return None
    if outcome.post_mortem is not None:
        play.reached("death", at=kernel.life.died_at)
        play.reached("noticed")
    play.seen.note(outcome=outcome)
    return outcome


def _ask_again(play: _Play) -> None:
    """Ask the session that was held open, in the process that survived."""
    try:
        again = value(play.kernel, play.example.again)
    except CellFailedError as error:
        play.seen.note(after_fault_error=str(error))
    else:
        play.seen.note(process_after_fault=play.kernel.life.process, after_fault=again)


def _look(play: _Play) -> None:
    """Look for what the dead process left."""
    life = play.kernel.life
    audit = play.watch.audit(life)
    play.reached("settled")
    play.seen.note(audit=audit, untrusted=play.stage.untrusted, old_is_gone=not _exists(life.process))


def _restart(play: _Play) -> None:
    """Run everything again in a new process."""
    kernel = play.kernel
    try:
        # A dead kernel of Jupyter's or Spyder's comes back by itself, as it does for a person.
        kernel.restart(asked=not kernel.life.is_managed)
    except KernelStartError as error:
        play.seen.note(no_restart=str(error))
        return
    play.reached("restarted")
    play.seen.note(second=_run(play))
    play.reached("rebuilt")


def _exists(process: ProcessId) -> bool:
    return proc.start_time(process.pid) == process.start_time
