"""The menu of faults: what each does to a kernel, what it needs, and what must follow."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_tfkernel.kernels.errors import FaultError
from pytest_tfkernel.kernels.oom import OOM_KILL, allocate_until_killed
from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.kernels import Reply
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer

if TYPE_CHECKING:
    from pytest_tfkernel.kernels.kernel import Kernel

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


@dataclass(frozen=True)
class Fault:
    """One injury. `strike(kernel, timeout)` does it and returns the cell's reply, if there is one.

    `requires` names capabilities of the machine. `seconds` is how long a death may take. `signal` is
    what a fault consists of that is nothing but a signal: only such a one strikes in other phases
    than `idle`, since a busy kernel runs no cell.
    """

    name: str
    summary: str
    strike: Callable[[Kernel, float | None], Reply | None]
    expects: Dies | Lives
    requires: tuple[str, ...] = ()
    seconds: float = 10.0
    signal: signal.Signals | None = None


def _by_signal(number: signal.Signals, *, stack: bool = False) -> Fault:
    def strike(kernel: Kernel, _: float | None) -> None:
        kernel.signal(number)

    return Fault(
        name=number.name.lower(),
        summary=f"{number.name} from outside",
        strike=strike,
        expects=Dies(ExitStatus(signal=number), Cause.SIGNAL, Killer.US, stack),
        signal=number,
    )


def _by_cell(name: str, summary: str, cell: str, expects: Dies | Lives, *, interactive: bool = True) -> Fault:
    def strike(kernel: Kernel, timeout: float | None) -> Reply:
        return kernel.execute(cell, timeout=timeout, interactive=interactive)

    return Fault(name, summary, strike, expects)


_INDEX_ERROR = "[1.0, 2.0][2]"

# The cells bind one name, which no user has, and work in graphs and sessions of their own: what the
# kernel holds stays as it was.
_TF_INDEX_ERROR = """\
def _tfkernel_fault():
    import tensorflow as tf
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        position = tf.compat.v1.placeholder(tf.int32, [1])
        session.run(tf.gather(tf.constant([1.0, 2.0]), position), {position: [7]})
_tfkernel_fault()
"""

# 2**50 floats are 4 PiB. The shape is fed: a known one is tried a second time by constant folding,
# and TensorFlow's allocator waits 10 s for memory in each try (BFCAllocator::AllocateRaw).
_OOM_TENSOR = """\
def _tfkernel_fault():
    import tensorflow as tf
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        shape = tf.compat.v1.placeholder(tf.int64, [2])
        session.run(tf.fill(shape, 1.0), {shape: [2**25, 2**25]})
_tfkernel_fault()
"""

# 256 MiB more than it has now, and then 1 GiB in one piece. The limit is lifted again.
_OOM_MEMORY_ERROR = """\
def _tfkernel_fault():
    import resource
    with open("/proc/self/statm") as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + (256 << 20), before[1]))
    try:
        bytearray(1 << 30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
_tfkernel_fault()
"""

FAULTS: tuple[Fault, ...] = (
    _by_signal(signal.SIGKILL),
    _by_signal(signal.SIGTERM),
    _by_signal(signal.SIGSEGV, stack=True),
    _by_signal(signal.SIGABRT, stack=True),
    _by_cell(
        "os-exit-0",
        "os._exit(0): a death without an error",
        "import os\nos._exit(0)",
        Dies(ExitStatus(code=0), Cause.EXIT, Killer.SELF),
    ),
    _by_cell("index-error", "IndexError in a cell", _INDEX_ERROR, Lives(("IndexError",))),
    _by_cell(
        "index-error-script",
        "an uncaught IndexError in a script",
        _INDEX_ERROR,
        Dies(ExitStatus(code=1), Cause.EXIT, Killer.SELF),
        interactive=False,
    ),
    _by_cell(
        "tf-index-error",
        "a gather out of range in Session.run",
        _TF_INDEX_ERROR,
        Lives(("InvalidArgumentError",)),
    ),
    Fault(
        "oom-kill",
        "killed by the OOM killer in a memory cgroup of its own",
        allocate_until_killed,
        Dies(ExitStatus(signal=signal.SIGKILL), Cause.OOM_KILL, Killer.OOM_KILLER),
        requires=(OOM_KILL,),
        seconds=30.0,
    ),
    _by_cell("oom-tensor", "a tensor of 4 PiB", _OOM_TENSOR, Lives(("ResourceExhaustedError",))),
    _by_cell("oom-memory-error", "an allocation beyond RLIMIT_AS", _OOM_MEMORY_ERROR, Lives(("MemoryError",))),
)


def find(fault: str | Fault, among: Sequence[Fault] = FAULTS) -> Fault:
    """A fault by its name. Raises FaultError with the names there are."""
    if isinstance(fault, Fault):
        return fault
    for one in among:
        if one.name == fault:
            return one
    raise FaultError(f"fault {fault!r} is unknown: choose from {', '.join(one.name for one in among)}")
