"""The menu of faults: what each does to a kernel, what it needs, and what must follow."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_tfkernel.kernels.faults import cells, gpu_cells
from pytest_tfkernel.kernels.faults.limits import (
    OOM_KILL,
    PROCESS_LIMIT,
    allocate_until_killed,
    start_threads_until_refused,
)
from pytest_tfkernel.model.errors import FaultError, FaultNotPossibleError, KernelDied
from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.kernels import Outcome, Reply
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer

if TYPE_CHECKING:
    from pytest_tfkernel.kernels.kernel import Kernel

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# A capability, as those of `limits`.
GPU = "gpu"

# Long enough for any cell that isn't stuck.
_HANG_SECONDS = 1.0


Strike = Callable[["Kernel", float | None], Reply | None]


@dataclass(frozen=True)
class Fault:
    """One injury. `strike(kernel, timeout)` does it and returns the cell's reply, if there is one.

    `requires` names capabilities of the machine. `seconds` is how long a death may take. `signal` is
    what a fault consists of that is nothing but a signal: only such a one strikes in other phases
    than `idle`, since a busy kernel runs no cell. `harms`: it may harm other users of the GPU, or have a
    node taken out of service; the suite plays it only when that is allowed by name.
    """

    name: str
    summary: str
    strike: Strike
    expects: Dies | Lives
    requires: tuple[str, ...] = ()
    seconds: float = 10.0
    signal: signal.Signals | None = None
    harms: bool = False


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


def _running(cell: str, *, interactive: bool = True, deadline: float | None = None) -> Strike:
    def strike(kernel: Kernel, timeout: float | None) -> Reply:
        return kernel.execute(cell, timeout=deadline if timeout is None else timeout, interactive=interactive)

    return strike


def _running_on_gpu(cell: str) -> Strike:
    def strike(kernel: Kernel, timeout: float | None) -> Reply:
        found = kernel.execute(gpu_cells.COUNT, timeout=timeout)
        if not found.value:
            raise FaultNotPossibleError(f"there is no GPU that this kernel can use: {found.error or 'none is visible'}")
        return kernel.execute(cell, timeout=timeout)

    return strike


def _stop(kernel: Kernel, timeout: float | None) -> Reply:
    kernel.signal(signal.SIGSTOP)
    return kernel.execute("None", timeout=_HANG_SECONDS if timeout is None else timeout)


def _interrupt(kernel: Kernel, timeout: float | None) -> Reply:
    # The kernel says when the cell runs: an interrupt between cells means nothing.
    return kernel.execute_marked(cells.INTERRUPTED, lambda _: kernel.interrupt(), timeout=timeout)


def _exits(code: int) -> Dies:
    return Dies(ExitStatus(code=code), Cause.EXIT, Killer.SELF)


_ENDED = Dies(ExitStatus(signal=signal.SIGKILL), Cause.DEADLINE, Killer.US, stack=True)

FAULTS: tuple[Fault, ...] = (
    _by_signal(signal.SIGKILL),
    _by_signal(signal.SIGTERM),
    _by_signal(signal.SIGSEGV, stack=True),
    _by_signal(signal.SIGABRT, stack=True),
    _by_signal(signal.SIGBUS, stack=True),
    _by_signal(signal.SIGILL, stack=True),
    Fault("exit", "sys.exit() in a cell", _running(cells.EXIT), _exits(0)),
    Fault("os-exit-0", "os._exit(0): a death without an error", _running(cells.OS_EXIT.format(code=0)), _exits(0)),
    Fault("os-exit-3", "os._exit(3)", _running(cells.OS_EXIT.format(code=3)), _exits(3)),
    Fault("index-error", "IndexError in a cell", _running(cells.INDEX_ERROR), Lives(("IndexError",))),
    Fault(
        "index-error-script",
        "an uncaught IndexError in a script",
        _running(cells.INDEX_ERROR, interactive=False),
        _exits(1),
    ),
    Fault(
        "tf-index-error",
        "a gather out of range in Session.run",
        _running(cells.TF_INDEX_ERROR),
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
    Fault("oom-tensor", "a tensor of 4 PiB", _running(cells.OOM_TENSOR), Lives(("ResourceExhaustedError",))),
    Fault(
        "oom-memory-error",
        "an allocation beyond RLIMIT_AS",
        _running(cells.OOM_MEMORY_ERROR),
        Lives(("MemoryError",)),
    ),
    Fault(
        "hang",
        "a deadlock in native code",
        _running(cells.HANG.format(library="CDLL"), deadline=_HANG_SECONDS),
        _ENDED,
    ),
    Fault(
        "hang-gil",
        "a deadlock in native code that holds Python's lock",
        _running(cells.HANG.format(library="PyDLL"), deadline=_HANG_SECONDS),
        _ENDED,
    ),
    Fault("sigstop", "SIGSTOP: a kernel that is stopped for good", _stop, _ENDED),
    Fault("interrupt", "SIGINT in a cell", _interrupt, Lives(("KeyboardInterrupt",)), signal=signal.SIGINT),
    Fault(
        "stack-overflow",
        "a recursion through C that outgrows the stack",
        _running(cells.STACK_OVERFLOW),
        Dies(ExitStatus(signal=signal.SIGSEGV), Cause.SIGNAL, Killer.SELF, stack=True),
    ),
    Fault("fd-exhaustion", "no descriptor is left to open a file", _running(cells.FD_EXHAUSTION), Lives(("OSError",))),
    Fault(
        "thread-exhaustion",
        "no thread can be started, in a pids cgroup of its own",
        start_threads_until_refused,
        Lives(("RuntimeError",)),
        requires=(PROCESS_LIMIT,),
    ),
    Fault(
        "oom-gpu",
        "a tensor twice as large as the GPU",
        _running_on_gpu(gpu_cells.OOM_GPU),
        Lives(("ResourceExhaustedError", "InternalError")),
        requires=(GPU,),
        harms=True,
    ),
    Fault(
        "cuda-fault",
        "a write through a null pointer on the GPU: the context is unusable from then on",
        _running_on_gpu(gpu_cells.STORE_TO_NULL),
        Lives(("CudaError",)),
        requires=(GPU,),
        harms=True,
    ),
)


def find(fault: str | Fault, among: Sequence[Fault] = FAULTS) -> Fault:
    """A fault by its name. Raises FaultError with the names there are."""
    if isinstance(fault, Fault):
        return fault
    for one in among:
        if one.name == fault:
            return one
    raise FaultError(f"fault {fault!r} is unknown: choose from {', '.join(one.name for one in among)}")


def strike(fault: Fault, kernel: Kernel, timeout: float | None) -> Outcome:
    """Strike a kernel that waits for its next cell. Raises what the fault does, and FaultError if it makes no sense."""
    life = kernel.life
    try:
        reply = fault.strike(kernel, timeout)
    except KernelDied as died:
        return Outcome(fault.name, None, died.post_mortem)
    if not isinstance(reply, Reply | None):
        raise FaultError(f"fault {fault.name!r} struck with {reply!r}: `strike` returns the reply of its cell, or None")
    lives = reply is not None and not reply.ok
    if isinstance(fault.expects, Dies) and not lives:
        life.wait(fault.seconds, channel=False)
    return Outcome(fault.name, reply, None if life.is_alive else life.bury())
