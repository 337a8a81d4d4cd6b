"""The run document: what one run saw, as data that is kept and compared.

A document is made of parts: one `Start`, any number of `Trial`, `Verdict` and `Test`, and one `End`. While a run goes
on, each part is a line of JSON; at its end they become one JSON object, a `Document` (see `store`). Units are in the
names or here: times are in seconds, memory in bytes. None stands for what could not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from pytest_tfkernel.model.defects import Defect, is_mended, told

# Goes up when a reader of the last one would misread a new document.
SCHEMA = 2
FORMAT = "pytest-tfkernel run"
# Of an error, in characters; what is longer is cut.
LONGEST_MESSAGE = 2000


class Part(msgspec.Struct, frozen=True, tag_field="part"):
    """What all parts of a document are."""


class Kernel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An interpreter in which kernels ran. `label` is its name in this document."""

    label: str
    executable: str
    python: str
    tensorflow: str | None = None
    packages: dict[str, str] = {}
    cuda: str | None = None


class Beside(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The interpreter of pytest, in which your own tests ran: that of the kernels may be another one."""

    executable: str
    python: str
    tensorflow: str | None = None
    packages: dict[str, str] = {}
    cuda: str | None = None


class Machine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the run took place. `linux` is the release of the Linux kernel, `cgroup` the version of the interface."""

    linux: str
    architecture: str
    cpus: int
    memory: int
    cgroup: int | None = None
    driver: str | None = None
    gpus: list[str] = []


class Environment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may make two runs differ. `packages` are those beside pytest, `options` the words of its command line.

    `pytest` is its interpreter, with the TensorFlow of your own tests; documents of older versions don't have it.
    """

    machine: Machine
    kernels: list[Kernel]
    pytest: Beside | None = None
    packages: dict[str, str] = {}
    options: list[str] = []
    capabilities: dict[str, str] = {}  # what can't be checked, and why

    def interpreters(self, *, own_tests: bool) -> Iterator[str]:
        """What ran where, a line each; also that of your own tests, if there are any and it is known."""
        for kernel in self.kernels:
            yield f"kernels {kernel.label}: {words_of(kernel)}"
        if own_tests and self.pytest is not None:
            yield f"your tests: {words_of(self.pytest)}"


def words_of(interpreter: Kernel | Beside) -> str:
    """Its versions, for people."""
    tensorflow = f"TensorFlow {interpreter.tensorflow}" if interpreter.tensorflow else "no TensorFlow"
    return f"{tensorflow} on Python {interpreter.python}"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial is about.

    `kernel` is the label of its interpreter; null for what is of the machine and played once, whatever the kernels are.
    """

    kernel: str | None
    provisioner: str
    example: str
    fault: str
    phase: str

    @property
    def whose(self) -> str:
        """The kernel, in words."""
        return "all kernels" if self.kernel is None else self.kernel

    def __str__(self) -> str:
        return f"{self.provisioner}-{self.example}-{self.fault}-{self.phase}"

    def named(self, *, labelled: bool) -> str:
        """What it is called in ids: in a run with several kernels, `labelled`, with that of its own."""
        return f"{self.kernel}/{self}" if labelled and self.kernel is not None else str(self)


class Death(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a kernel died: an exit code or the name of a signal. `report` is the post-mortem for people."""

    code: int | None = None
    signal: str | None = None
    cause: str = ""
    killer: str = ""
    uptime: float | None = None
    cpu: float | None = None
    peak_memory: int | None = None
    report: str = ""


class Leak(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was left behind.

    `kind` is its word in reports and markers, such as `process`, and `name` what it is called: a pid, a path, an
    address. `detail` is what else a person wants to know of it. `since` is the cell after which it was first seen; null
    where nobody looked after cells, or it was seen after the death only.
    """

    kind: str
    name: str
    detail: str = ""
    since: str | None = None

    @property
    def what(self) -> str:
        """Kind and name."""
        return f"{self.kind} {self.name}"

    def __str__(self) -> str:
        words = f"{self.what} ({self.detail})" if self.detail else self.what
        return words if self.since is None else f"{words}, first seen after the cell {self.since!r}"


class Moment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A moment of a trial, in seconds since its first kernel was asked for, and what the kernel held then.

    Names: `started`, `cell`, `fault`, `death`, `noticed`, `settled`, `restarted`, `rebuilt`.
    """

    name: str
    seconds: float
    memory: int | None = None
    threads: int | None = None
    handles: int | None = None
    gpu_memory: int | None = None


class Trial(Part, frozen=True, kw_only=True, omit_defaults=True, tag="trial"):
    """What was seen in one trial.

    `error_type` and `error_message` are those of the cell's reply to the fault; `facts` is what a scenario saw;
    `impossible` says why the fault could not be produced. `leaks` are what was left. `ran_on` are the devices that
    multiplied for the example, where that was looked at; documents of older versions don't have it.
    """

    setting: Setting
    seconds: float
    cold_starts: int = 0
    result: Any = None
    ran_on: list[str] = []
    error_type: str | None = None
    error_message: str | None = None
    death: Death | None = None
    leaks: list[Leak] = []
    timeline: list[Moment] = []
    facts: dict[str, Any] = {}
    impossible: str = ""


StateWord = Literal["PASS", "FAIL", "KNOWN", "UNKNOWN"]


class Verdict(Part, frozen=True, kw_only=True, omit_defaults=True, tag="verdict"):
    """What a judge said of a trial: PASS, FAIL or UNKNOWN; or KNOWN, a FAIL that fits a known defect of TensorFlow.

    `given` is what of the surroundings it was looked at with; the reason doesn't depend on it. `defect` is the one that
    was seen, of KNOWN; of PASS, one that is listed for it and was not.
    """

    guarantee: str
    setting: Setting
    item: str
    verdict: StateWord
    reason: str
    given: str = ""
    defect: Defect | None = None

    @property
    def said(self) -> str:
        """Why, for people."""
        return "; ".join(filter(None, (self.reason, self.given, told(self.verdict, self.defect))))

    @property
    def is_mended(self) -> bool:
        """Whether a defect that is listed as always seen wasn't."""
        return is_mended(self.verdict, self.defect)


OutcomeWord = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed"]


class IsolatedProcess(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The process in which a test ran that was isolated.

    `how` it was made: `forked`, or `cold` with the reason. `peak_memory` is in bytes, the most that it had at any time
    until the test had ended. Of a process with several tests, the last one has its `code` or `signal`. `cause` is there
    where it has died, and not ended as a session of pytest does.
    """

    how: str
    peak_memory: int | None = None
    code: int | None = None
    signal: str | None = None
    cause: str | None = None


class Test(Part, frozen=True, kw_only=True, omit_defaults=True, tag="test"):
    """One of the user's own tests. `outcome` is pytest's word; `process` is there for one that was isolated.

    `file` is relative to pytest's rootdir and `line` counts from 1: where the test is; not known of all tests.
    """

    item: str
    outcome: OutcomeWord
    seconds: float
    file: str | None = None
    line: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    leaks: list[Leak] = []
    process: IsolatedProcess | None = None


class Start(Part, frozen=True, kw_only=True, tag="start"):
    """The first part. `began` is a time of day, as ISO 8601 in UTC."""

    format: str
    schema: int
    began: str
    environment: Environment


class End(Part, frozen=True, kw_only=True, omit_defaults=True, tag="end"):
    """The last part. `unreported` are items that were collected, and of which no report came."""

    seconds: float
    exit_code: int
    collected: int
    unreported: list[str] = []


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. `complete` is False for one that was cut short; then it has no `end`."""

    format: str
    schema: int
    complete: bool
    began: str
    environment: Environment
    trials: list[Trial]
    verdicts: list[Verdict]
    tests: list[Test]
    end: End | None = None


AnyPart = Start | Trial | Verdict | Test | End


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a whole document."""
    return msgspec.json.schema(Document)
