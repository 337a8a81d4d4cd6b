"""Which trials a run plays."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_tfkernel.kernels.faults import FAULTS
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.examples import EXAMPLES

NO_FAULT = "none"
RUNNER_DEATH = "runner-death"
DAEMON = "daemon"

# Cold starts take seconds each: enough of them to see each way of dying, and each example, once.
_COLD = (
    ("variable_assign", "sigkill"),
    ("gpu_matmul", "sigkill"),
    ("graph_add", "index-error-script"),
    ("variable_assign", "oom-kill"),
    ("graph_add", "index-error"),
)
# TensorFlow waits 10 s before it gives an allocation up: once is enough.
_ONE_EXAMPLE = {"oom-tensor": "variable_assign"}


def settings(provisioners: Sequence[str] = ()) -> tuple[Setting, ...]:
    """All trials, in the order of reports; those of the named provisioners only, if any are named."""
    warm = (
        Setting("forkserver", example.name, fault)
        for fault in (NO_FAULT, *(fault.name for fault in FAULTS))
        for example in EXAMPLES
        if _ONE_EXAMPLE.get(fault, example.name) == example.name
    )
    cold = (Setting("subprocess", example, fault) for example, fault in _COLD)
    everything = (*warm, *cold, Setting("subprocess", DAEMON, RUNNER_DEATH))
    return tuple(setting for setting in everything if not provisioners or setting.provisioner in provisioners)


def slow_first(chosen: Sequence[Setting]) -> list[Setting]:
    """The order in which to play: several workers are done sooner when the long trials come first."""
    return sorted(chosen, key=lambda setting: setting.provisioner != "subprocess" and setting.fault not in _ONE_EXAMPLE)
