"""What a kernel is asked for, and what it answers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.errors import CellRaisedError, SpecError
from pytest_tfkernel.model.processes import PostMortem
from pytest_tfkernel.model.provisioners import Provisioner, chosen, respelled

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


@dataclass(frozen=True)
class KernelSpec:
    """What to launch.

    `python` is a path or a name on PATH. `provisioner` is how its processes are started, or its name, such as
    "jupyter" for `Jupyter()`. `environment` changes the environment of pytest; a value
    of None removes a variable. `sys_path` goes in front of the kernel's own. `startup` is a cell
    that runs in each new process before it is handed out. `timeout` is the default deadline of a
    cell and `start_timeout` that of a start, in seconds. Limits are in bytes and in counts;
    `memory_limit` and `process_limit` need a cgroup, `address_space_limit` and `open_files_limit`
    are rlimits.
    """

    python: str = sys.executable
    provisioner: str | Provisioner = "forkserver"
    environment: Mapping[str, str | None] = field(default_factory=dict)
    folder: str | None = None
    sys_path: tuple[str, ...] = ()
    startup: str = ""
    timeout: float = 120.0
    start_timeout: float = 120.0
    memory_limit: int | None = None
    process_limit: int | None = None
    address_space_limit: int | None = None
    open_files_limit: int | None = None

    def __new__(cls, *_: object, **fields: object) -> KernelSpec:  # noqa: PYI034 - typing.Self is of Python 3.11
        """Raise SpecError, which says what to write, for a field that has moved to the provisioner."""
        if words := respelled(fields):
            raise SpecError(words)
        return super().__new__(cls)

    @property
    def made_by(self) -> Provisioner:
        """How its processes are started. Raises SpecError for a provisioner that doesn't exist or can't work."""
        return chosen(self.provisioner)


_SHOWN = {"numpy": "NumPy", "keras": "Keras"}


@dataclass(frozen=True)
class Interpreter:
    """A Python that can run kernels: where it is, its version, and its TensorFlow, if any.

    `packages` are the versions of those that are there of `numpy`, `keras`, and what hosts need: `ipykernel`,
    `spyder_kernels` and `multiprocess`. `cuda` is the version for which TensorFlow was built.
    """

    executable: str
    version: tuple[int, int, int]
    tensorflow: str | None
    packages: Mapping[str, str] = field(default_factory=dict, hash=False)
    cuda: str | None = None

    @property
    def label(self) -> str:
        """What it is called among several."""
        major, minor, _ = self.version
        return f"tf{self.tensorflow}-py{major}.{minor}" if self.tensorflow else f"py{major}.{minor}"

    def __str__(self) -> str:
        version = ".".join(map(str, self.version))
        words = [f"TensorFlow {self.tensorflow}" if self.tensorflow else "no TensorFlow"]
        words += [f"built for CUDA {self.cuda}"] if self.cuda else []
        words += [f"{name} {self.packages[module]}" for module, name in _SHOWN.items() if module in self.packages]
        return f"Python {version}, {', '.join(words)} ({self.executable})"


@dataclass(frozen=True)
class NotCarried:
    """Stands for a value that has no JSON form; `reason` says what to do instead."""

    reason: str


@dataclass(frozen=True)
class Reply:
    """What a kernel answered to one cell.

    `value` is that of the last expression: plain data, or `NotCarried`. `stdout` and `stderr` are
    what reached the descriptors while the cell ran: text, at most 1 MiB each, whose beginning was
    cut by `stdout_cut` and `stderr_cut` bytes. `seconds` is the time in the kernel. `children_oom_killed` counts the
    processes that the OOM killer took since the last reply in the cgroup of the kernel, if it has one of its own.
    """

    ok: bool
    value: Any
    stdout: str
    stderr: str
    error: CellError | None
    seconds: float
    stdout_cut: int = 0
    stderr_cut: int = 0
    children_oom_killed: int = 0

    def check(self) -> Reply:
        """Raise what the cell raised, if anything, as a CellRaisedError. Returns the reply itself."""
        if self.error is not None:
            raise CellRaisedError.of(self.error)
        return self


@dataclass(frozen=True)
class Outcome:
    """What a fault did: the cell's reply if it got one, the post-mortem if the kernel died.

    `in_phase` says whether the kernel was in the phase when the fault struck; None for `idle`, where
    nothing has to be proven.
    """

    fault: str
    reply: Reply | None
    post_mortem: PostMortem | None
    phase: str = "idle"
    in_phase: bool | None = None
