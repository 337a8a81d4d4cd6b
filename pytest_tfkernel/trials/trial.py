"""A trial: one example injured by one fault, from a new kernel to its successor."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels import phases
from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.kernels.faults.fault import Fault
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.errors import FaultNotPossibleError, KernelIsDead, KernelStartError
from pytest_tfkernel.model.faults import Dies
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.trials import NO_FAULT, Generation, Observation, Setting
from pytest_tfkernel.trials import examples
from pytest_tfkernel.trials.auditing import Watch
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.examples import Example
from pytest_tfkernel.trials.stage import Stage
from pytest_tfkernel.trials.timeline import Timeline

# A kernel that had left a phase before the fault struck is no evidence: it is played again.
_TRIES = 3


def play(setting: Setting, stage: Stage, spec: KernelSpec | None = None) -> Observation:
    """Start, run, inject, look, restart, run again. Every kernel of the trial has ended afterwards.

    `spec` is that of the kernel; its provisioner is the setting's. Raises KernelStartError or
    SpecError when there is no first kernel to look at.
    """
    chosen = dataclasses.replace(spec or KernelSpec(), provisioner=setting.provisioner)
    for _ in range(_TRIES):
        seen = _play_once(setting, stage, chosen)
        if seen.outcome is None or seen.outcome.in_phase is not False:
            return seen
    missed = f"phase {setting.phase!r} was missed {_TRIES} times: the kernel had left it when the fault struck"
    return dataclasses.replace(seen, outcome=None, not_possible=missed)


@dataclass(frozen=True)
class _Play:
    """One trial while it is played."""

    kernel: Kernel
    example: Example
    stage: Stage
    watch: Watch
    timeline: Timeline

    def mark(self, name: str, at: float | None = None) -> None:
        """Note a moment, and what the kernel holds if it lives."""
        self.timeline.mark(name, self.kernel.life.process if self.kernel.is_alive else None, at)


def _play_once(setting: Setting, stage: Stage, spec: KernelSpec) -> Observation:
    stage.prepare()
    timeline = Timeline(stage.gpus.used_memory)
    watch = Watch(stage.launcher, timeline=timeline)
    kernel = watch.start(spec)
    example = examples.find(setting.example)
    play = _Play(kernel, example, stage, watch, timeline)
    try:
        play.mark("started")
        seen = Observation(setting, stage.launcher.interpreter(spec.python), _run(kernel, example, stage.gpus))
        if setting.fault != NO_FAULT and not seen.first.error:
            seen = _injure(play, menu.find(setting.fault), seen)
            if isinstance(seen.expects, Dies):
                seen = _restart(play, _look(play, seen))
        return dataclasses.replace(seen, timeline=timeline.moments)
    finally:
        # An orderly exit of TensorFlow takes half a second, and nothing is looked at any more.
        kernel.shutdown(now=True)


def _run(kernel: Kernel, example: Example, gpus: Gpus) -> Generation:
    """What a new process shows, and what the example gives in it."""
    seen = Generation(kernel.life.process)
    try:
        blank = value(kernel, examples.LOOK)
        seen = dataclasses.replace(
            seen, imported=blank["imported"], operations_before=blank["operations"], session=blank["session"]
        )
        given = value(kernel, example.run)
        details = given["details"]
        on_gpu = gpus.lists(kernel.life.process) if details.get("gpus") else None
        there = gpus.names if "gpus" in details else ()
        seen = dataclasses.replace(seen, result=given["result"], details=details, on_gpu=on_gpu, gpus=there)
        return dataclasses.replace(
            seen,
            operations_after=value(kernel, examples.COUNT_OPERATIONS),
            again=value(kernel, example.again),
        )
    except CellFailedError as error:
        return dataclasses.replace(seen, error=str(error))


def _injure(play: _Play, fault: Fault, seen: Observation) -> Observation:
    kernel = play.kernel
    seen = dataclasses.replace(seen, expects=fault.expects)
    if isinstance(fault.expects, Dies) and play.stage.gpus.harm:
        return dataclasses.replace(seen, not_possible=play.stage.gpus.harm)
    try:
        if phases.find(seen.setting.phase).needs == phases.COLD:
            # Running the example has imported TensorFlow: it is the next process that is struck.
            kernel.restart()
        value(kernel, examples.SPEAK)
        play.mark("fault")
        outcome = kernel.inject(fault, phase=seen.setting.phase)
    except FaultNotPossibleError as error:
        return dataclasses.replace(seen, not_possible=str(error))
    except (CellFailedError, KernelStartError, KernelIsDead) as error:
        return dataclasses.replace(seen, not_possible=f"the kernel could not be used before the fault: {error}")
    if outcome.post_mortem is not None:
        play.mark("death", at=kernel.life.died_at)
        play.mark("noticed")
    seen = dataclasses.replace(seen, outcome=outcome)
    return _after_fault(kernel, play.example, seen) if kernel.is_alive else seen


def _after_fault(kernel: Kernel, example: Example, seen: Observation) -> Observation:
    """Ask the session that was held open, in the process that survived."""
    try:
        again = value(kernel, example.again)
    except CellFailedError as error:
        return dataclasses.replace(seen, after_fault_error=str(error))
    return dataclasses.replace(seen, process_after_fault=kernel.life.process, after_fault=again)


def _look(play: _Play, seen: Observation) -> Observation:
    """Look for what the dead process left."""
    life = play.kernel.life
    if play.kernel.is_alive:
        return seen
    audit = play.watch.audit(life)
    play.mark("settled")
    return dataclasses.replace(seen, audit=audit, untrusted=play.stage.untrusted, old_is_gone=not _exists(life.process))


def _restart(play: _Play, seen: Observation) -> Observation:
    """Run everything again in a new process."""
    if seen.outcome is None:
        return seen
    kernel = play.kernel
    try:
        # A dead kernel of Jupyter's or Spyder's comes back by itself, as it does for a person.
        kernel.restart(asked=not kernel.life.is_hosted)
    except KernelStartError as error:
        return dataclasses.replace(seen, no_restart=str(error))
    play.mark("restarted")
    second = _run(kernel, play.example, play.stage.gpus)
    play.mark("rebuilt")
    return dataclasses.replace(seen, second=second)


def _exists(process: ProcessId) -> bool:
    return proc.start_time(process.pid) == process.start_time
