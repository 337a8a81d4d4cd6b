"""Trials, what was seen in them, and what that means."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.model.defects import Defect, is_mended, told
from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.kernels import Interpreter, Outcome
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Audit, Kind

# What stands in the place of a fault where there is none.
NO_FAULT = "none"


class State(enum.Enum):
    """PASS: looked, and it held. KNOWN: it did not, as is listed. UNKNOWN: could not be looked at."""

    PASS = "PASS"
    FAIL = "FAIL"
    KNOWN = "KNOWN"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Verdict:
    """What a judge says, and why, in one line.

    `given` is what of the surroundings it was looked at with, such as what is installed: another of them isn't another
    behaviour, so none of it is in the reason. `defect` is one of TensorFlow that is listed for what was judged: the one
    that was seen, of KNOWN, and one that was not, of PASS.
    """

    state: State
    reason: str
    given: str = ""
    defect: Defect | None = None

    @classmethod
    def passed(cls, reason: str = "", given: str = "") -> Verdict:
        """It was looked at, and it held."""
        return cls(State.PASS, reason, given)

    @classmethod
    def failed(cls, reason: str, given: str = "") -> Verdict:
        """It was looked at, and did not hold."""
        return cls(State.FAIL, reason, given)

    @classmethod
    def unknown(cls, reason: str, given: str = "") -> Verdict:
        """It could not be looked at."""
        return cls(State.UNKNOWN, reason, given)

    @property
    def said(self) -> str:
        """All of it, for people."""
        return "; ".join(filter(None, (self.reason, self.given, told(self.state.value, self.defect))))

    @property
    def is_mended(self) -> bool:
        """Whether a defect that is listed as always seen wasn't."""
        return is_mended(self.state.value, self.defect)


# What has shown something: it was looked at, and came out as it is said to.
AS_TOLD = (State.PASS, State.KNOWN)


@dataclass(frozen=True)
class Setting:
    """What a trial is about. `fault` is `none` for a trial without one.

    `kernel` is the label of its interpreter; None for what is of the machine and played once, whatever the kernels are.
    """

    provisioner: str
    example: str
    fault: str
    phase: str = "idle"
    kernel: str | None = None

    def __str__(self) -> str:
        return f"{self.provisioner}-{self.example}-{self.fault}-{self.phase}"

    def named(self, *, labelled: bool) -> str:
        """What it is called in ids: in a run with several kernels, `labelled`, with that of its own."""
        return f"{self.kernel}/{self}" if labelled and self.kernel is not None else str(self)


@dataclass(frozen=True)
class Generation:
    """What one process of a kernel showed.

    `imported`: TensorFlow was imported before anything was asked. `operations_before` and
    `operations_after` count those of the default graph, before and after the example; `session`:
    there was a default session. `result` is compared between generations, `details` are not.
    `again` is what the open session said in a later cell. `on_gpu`: NVML listed the process after it had run
    the example; None when that was not, or could not be, looked at. `gpus` are the names of those that NVML shows
    and CUDA_VISIBLE_DEVICES allows, looked for where the example may use one. `error` says why something is missing.
    """

    process: ProcessId
    imported: bool | None = None
    operations_before: int | None = None
    session: bool | None = None
    result: Any = None
    details: dict[str, Any] | None = None
    operations_after: int | None = None
    again: Any = None
    on_gpu: bool | None = None
    gpus: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Moment:
    """A moment of a trial: seconds since it began, and what the kernel held, in bytes and counts; None if unknown.

    Names, in their order: `started`, `cell` (after each), `fault`, `death`, `noticed`, `settled`, `restarted`,
    `rebuilt`.
    """

    name: str
    seconds: float
    memory: int | None = None
    threads: int | None = None
    handles: int | None = None
    gpu_memory: int | None = None


@dataclass(frozen=True)
class Observation:
    """Everything seen in one trial: plain data, no live object.

    `expects` is what must follow the fault; None without one. `after_fault` is what the open session
    said after a fault that the kernel survived, and `after_fault_error` why it said nothing.
    `old_is_gone`: the dead process is reaped. `audit` is what was found of what it left, None when
    nobody looked; `untrusted` are the kinds of leaks that the audit doesn't find here. `not_possible`
    says why the fault could not be produced here, and `no_restart` why there is no second generation.
    `timeline` says when what happened.
    """

    setting: Setting
    interpreter: Interpreter
    first: Generation
    expects: Dies | Lives | None = None
    outcome: Outcome | None = None
    not_possible: str = ""
    process_after_fault: ProcessId | None = None
    after_fault: Any = None
    after_fault_error: str = ""
    old_is_gone: bool | None = None
    audit: Audit | None = None
    untrusted: tuple[Kind, ...] = ()
    second: Generation | None = None
    no_restart: str = ""
    timeline: tuple[Moment, ...] = ()


@dataclass(frozen=True)
class Capability:
    """Something that a machine has or lacks; `reason` says why it lacks it and what would help."""

    name: str
    summary: str
    available: bool
    reason: str = ""


@dataclass(frozen=True)
class Record:
    """One verdict of one run, as reports read it.

    `cold_starts` counts the interpreters that were started for its trial; only the first verdict of a
    trial has them.
    """

    item: str
    guarantee: str
    setting: Setting
    verdict: Verdict
    post_mortem: str = ""
    cold_starts: int = 0
