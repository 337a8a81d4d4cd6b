"""Which trials a run plays, by its size."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence

from pytest_tfkernel.kernels.faults.menu import FAULTS
from pytest_tfkernel.kernels.phases import COLD, IDLE, PHASES, STARTING
from pytest_tfkernel.model.provisioners import PROVISIONERS, Managed, Multiprocess, capability_of
from pytest_tfkernel.model.trials import NO_FAULT, Setting
from pytest_tfkernel.suite.scenarios import SCENARIOS
from pytest_tfkernel.suite.scenarios.planted import PLANTED
from pytest_tfkernel.suite.sizes import FULL, SMOKE, STANDARD
from pytest_tfkernel.trials.examples import EXAMPLES

# Those that may harm others have trials of their own, and those are asked for by name.
HARMFUL = tuple(fault.name for fault in FAULTS if fault.harms)
_MATRIX = tuple(fault.name for fault in FAULTS if not fault.harms)

_FORKSERVER, _SUBPROCESS = "forkserver", "subprocess"
_MULTIPROCESS = tuple(one.name for one in PROVISIONERS if isinstance(one, Multiprocess))
# The kernels of others, which are there where those are installed.
_MANAGED = tuple(one.name for one in PROVISIONERS if isinstance(one, Managed))
_SMOKE = (("graph_add", "sigkill"), ("variable_assign", "oom-kill"), ("gpu_matmul", "index-error"))
# Cold starts take seconds each: the ways of dying that people meet.
_COLD_FAULTS = ("sigkill", "index-error", "oom-kill")
# A kernel that has said nothing yet has no handler of its own: only what the Linux kernel does is sure.
_AT_START = ("sigkill", "sigterm")
# Elsewhere an interrupt waits for what it should interrupt, or ends the exit and not the cell.
_INTERRUPTED = ("running", "saving")
_PHASE_EXAMPLE = "variable_assign"


def settings(
    size: str = FULL,
    provisioners: Sequence[str] = (),
    allow: Collection[str] = (),
    missing: Collection[str] = (),
    kernel: str | None = None,
) -> tuple[Setting, ...]:
    """All trials of a size, in the order of reports; of the named provisioners only, if any are named.

    Faults that may harm others are played only when `allow` names them, and none on the provisioners that are
    `missing`. `kernel` is the label of the interpreter; without one, no trial has a kernel yet.
    """
    everything = dict.fromkeys({SMOKE: _smoke, STANDARD: _standard, FULL: _full}[size]())
    allowed = [
        setting
        for setting in everything
        if setting.fault not in HARMFUL or setting.fault in allow
        if capability_of(setting.provisioner) not in missing
    ]
    chosen = [setting for setting in allowed if not provisioners or setting.provisioner in provisioners]
    # Whatever is looked at, the look for leaks has its control.
    labelled = (dataclasses.replace(setting, kernel=kernel) for setting in chosen if setting not in PLANTED.settings)
    return (*PLANTED.settings, *labelled) if chosen else ()


def slow_first(chosen: Iterable[Setting]) -> list[Setting]:
    """The order in which to play: several workers are done sooner when the long trials come first."""
    return sorted(chosen, key=lambda setting: setting.provisioner == _FORKSERVER and setting.fault != "oom-tensor")


def _smoke() -> Iterator[Setting]:
    for example, fault in _SMOKE:
        yield Setting(_FORKSERVER, example, fault)


def _standard() -> Iterator[Setting]:
    yield from _faults(_FORKSERVER, [NO_FAULT, *_MATRIX])
    for phase in PHASES:
        if phase.needs != COLD and phase.name != IDLE:
            yield Setting(_FORKSERVER, _PHASE_EXAMPLE, "sigkill", phase.name)
    yield Setting(_FORKSERVER, _PHASE_EXAMPLE, "interrupt", "running")
    yield from _scenarios(_FORKSERVER, STANDARD)
    yield from _faults(_SUBPROCESS, _COLD_FAULTS)
    yield Setting(_SUBPROCESS, "graph_add", "index-error-script")
    # What a CPU without the instructions that TensorFlow was built for does to it.
    yield Setting(_SUBPROCESS, _PHASE_EXAMPLE, "sigill", "importing")
    yield from _scenarios(_SUBPROCESS, STANDARD)
    for host in _MANAGED:
        yield from _faults(host, _COLD_FAULTS)
        yield from _scenarios(host, STANDARD)


def _full() -> Iterator[Setting]:
    yield from _standard()
    yield from _faults(_SUBPROCESS, [NO_FAULT, *_MATRIX])
    for made in _MULTIPROCESS:
        yield from (Setting(made, _PHASE_EXAMPLE, name) for name in (NO_FAULT, *_COLD_FAULTS))
    for phase in PHASES:
        for fault in FAULTS:
            if fault.signal is not None and _goes_with(fault.name, phase.name):
                made = _SUBPROCESS if phase.needs == COLD else _FORKSERVER
                yield Setting(made, _PHASE_EXAMPLE, fault.name, phase.name)
    for provisioner in (_FORKSERVER, _SUBPROCESS):
        yield from _scenarios(provisioner, FULL)


def _scenarios(provisioner: str, size: str) -> Iterator[Setting]:
    for scenario in SCENARIOS:
        if scenario.size == size:
            yield from (setting for setting in scenario.settings if setting.provisioner == provisioner)


def _goes_with(fault: str, phase: str) -> bool:
    if fault == "interrupt":
        return phase in _INTERRUPTED
    return phase != IDLE and (phase != STARTING or fault in _AT_START)


def _faults(provisioner: str, faults: Sequence[str]) -> Iterator[Setting]:
    for fault in faults:
        for example in EXAMPLES:
            yield Setting(provisioner, example.name, fault)
