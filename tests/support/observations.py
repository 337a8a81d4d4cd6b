"""What honest kernels show, written by hand: trials to judge and to report without playing them."""

from __future__ import annotations

from typing import Any

from facts import INTERPRETER, saw
from pytest_tfkernel.kernels.faults import menu
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.kernels import Outcome, Reply
from pytest_tfkernel.model.processes import PostMortem, ProcessId
from pytest_tfkernel.model.resources import Audit
from pytest_tfkernel.model.trials import NO_FAULT, Generation, Observation, Setting
from pytest_tfkernel.suite.guarantees.applicability import has_example
from pytest_tfkernel.suite.scenarios import planted, runner_death
from pytest_tfkernel.trials import examples

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"
DETAILS = {
    "error": 1e-7,
    "gpus": [],
    "ran": [["_Arg", CPU], ["_MklMatMul", CPU], ["_Retval", CPU]],
    "cuda": False,
    "visible": None,
}


def honest(setting: Setting) -> Observation | Facts[Any]:
    """What is seen in a setting when everything holds; of a scenario, that it was not played."""
    if setting.example == runner_death.NAME:
        return saw(setting, {"started": 1, "seconds": 0.1})
    if setting.example == planted.NAME:
        return saw(setting, {"found": ["process"], "missed": [], "refused": {}, "seconds": 0.5})
    if not has_example(setting):
        return saw(setting, error="not played")
    return honest_trial(setting)


def honest_trial(setting: Setting) -> Observation:
    """The same, of a setting with an example."""
    first = _generation(setting, ProcessId(4211, 1000))
    if setting.fault == NO_FAULT:
        return Observation(setting, INTERPRETER, first)
    expects = menu.find(setting.fault).expects
    if isinstance(expects, Lives):
        return _survived(setting, first, expects)
    return Observation(
        setting,
        INTERPRETER,
        first,
        expects,
        Outcome(setting.fault, None, _post_mortem(first.process, expects), setting.phase, _in_phase(setting)),
        old_is_gone=True,
        audit=Audit(),
        second=_generation(setting, ProcessId(4212, 2000)),
    )


def _generation(setting: Setting, process: ProcessId) -> Generation:
    example = examples.find(setting.example)
    return Generation(
        process,
        imported=setting.provisioner == "forkserver",
        operations_before=0,
        session=False,
        result=example.result,
        details=dict(DETAILS),
        operations_after=7,
        again=example.again_result,
    )


def _survived(setting: Setting, first: Generation, expects: Lives) -> Observation:
    error = CellError(expects.errors[0], "as it should be", "Traceback (most recent call last):\n")
    reply = Reply(ok=False, value=None, stdout="", stderr="", error=error, seconds=0.1)
    return Observation(
        setting,
        INTERPRETER,
        first,
        expects,
        Outcome(setting.fault, reply, None, setting.phase, _in_phase(setting)),
        process_after_fault=first.process,
        after_fault=first.again,
    )


def _in_phase(setting: Setting) -> bool | None:
    return None if setting.phase == "idle" else True


def _post_mortem(process: ProcessId, expects: Dies) -> PostMortem:
    return PostMortem(
        process=process,
        generation=1,
        exit_status=expects.status,
        cause=expects.cause,
        killer=expects.killer,
        usage=None,
        uptime=1.5,
        last_cell=examples.SPEAK,
        stack="Current thread (most recent call first):\n" if expects.stack else "",
        stdout=f"{examples.LAST_WORDS}\n",
        stderr=f"{examples.LAST_WORDS}\nTraceback (most recent call last):\nIndexError: out of range\n",
    )
