"""The menu of faults: what each does to a kernel, what it needs, and what must follow."""

from __future__ import annotations

import signal

from pytest_tfkernel.kernels.faults import cells, gpu_cells
from pytest_tfkernel.kernels.faults.fault import ByCell, ByInterrupt, BySignal, ByStop, Condition, Fault
from pytest_tfkernel.kernels.faults.limits import OOM_KILL, PROCESS_LIMIT, ByMemoryLimit, ByThreadLimit
from pytest_tfkernel.model.errors import FaultError
from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# A capability, as those of `limits`.
GPU = "gpu"

# Long enough for any cell that isn't stuck.
_HANG_SECONDS = 1.0
_ON_GPU = Condition(gpu_cells.COUNT, "there is no GPU that this kernel can use")


def _by_signal(number: signal.Signals, *, stack: bool = False) -> Fault:
    return Fault(
        name=number.name.lower(),
        summary=f"{number.name} from outside",
        strike=BySignal(number),
        expects=Dies(ExitStatus(signal=number), Cause.SIGNAL, Killer.US, stack),
        signal=number,
    )


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
    Fault("exit", "sys.exit() in a cell", ByCell(cells.EXIT), _exits(0)),
    Fault("os-exit-0", "os._exit(0): a death without an error", ByCell(cells.OS_EXIT.format(code=0)), _exits(0)),
    Fault("os-exit-3", "os._exit(3)", ByCell(cells.OS_EXIT.format(code=3)), _exits(3)),
    Fault("index-error", "IndexError in a cell", ByCell(cells.INDEX_ERROR), Lives(("IndexError",))),
    Fault(
        "index-error-script",
        "an uncaught IndexError in a script",
        ByCell(cells.INDEX_ERROR, interactive=False),
        _exits(1),
    ),
    Fault(
        "tf-index-error",
        "a gather out of range in Session.run",
        ByCell(cells.TF_INDEX_ERROR),
        Lives(("InvalidArgumentError",)),
    ),
    Fault(
        "oom-kill",
        "killed by the OOM killer in a memory cgroup of its own",
        ByMemoryLimit(),
        Dies(ExitStatus(signal=signal.SIGKILL), Cause.OOM_KILL, Killer.OOM_KILLER),
        requires=(OOM_KILL,),
        seconds=30.0,
    ),
    Fault("oom-tensor", "a tensor of 4 PiB", ByCell(cells.OOM_TENSOR), Lives(("ResourceExhaustedError",))),
    Fault(
        "oom-memory-error",
        "an allocation beyond RLIMIT_AS",
        ByCell(cells.OOM_MEMORY_ERROR),
        Lives(("MemoryError",)),
    ),
    Fault(
        "hang",
        "a deadlock in native code",
        ByCell(cells.HANG.format(library="CDLL"), deadline=_HANG_SECONDS),
        _ENDED,
    ),
    Fault(
        "hang-gil",
        "a deadlock in native code that holds Python's lock",
        ByCell(cells.HANG.format(library="PyDLL"), deadline=_HANG_SECONDS),
        _ENDED,
    ),
    Fault("sigstop", "SIGSTOP: a kernel that is stopped for good", ByStop(_HANG_SECONDS), _ENDED),
    Fault(
        "interrupt",
        "SIGINT in a cell",
        ByInterrupt(cells.INTERRUPTED),
        Lives(("KeyboardInterrupt",)),
        signal=signal.SIGINT,
    ),
    Fault(
        "stack-overflow",
        "a recursion through C that outgrows the stack",
        ByCell(cells.STACK_OVERFLOW),
        Dies(ExitStatus(signal=signal.SIGSEGV), Cause.SIGNAL, Killer.SELF, stack=True),
    ),
    Fault("fd-exhaustion", "no descriptor is left to open a file", ByCell(cells.FD_EXHAUSTION), Lives(("OSError",))),
    Fault(
        "thread-exhaustion",
        "no thread can be started, in a pids cgroup of its own",
        ByThreadLimit(),
        Lives(("RuntimeError",)),
        requires=(PROCESS_LIMIT,),
    ),
    Fault(
        "oom-gpu",
        "a tensor twice as large as the GPU",
        ByCell(gpu_cells.OOM_GPU, where=_ON_GPU),
        Lives(("ResourceExhaustedError", "InternalError")),
        requires=(GPU,),
        harms=True,
    ),
    Fault(
        "cuda-fault",
        "a write through a null pointer on the GPU: the context is unusable from then on",
        ByCell(gpu_cells.STORE_TO_NULL, where=_ON_GPU),
        Lives(("CudaError",)),
        requires=(GPU,),
        harms=True,
    ),
)


def find(fault: str | Fault) -> Fault:
    """A fault by its name. Raises FaultError with the names there are."""
    if isinstance(fault, Fault):
        return fault
    for one in FAULTS:
        if one.name == fault:
            return one
    raise FaultError(f"fault {fault!r} is unknown: choose from {', '.join(one.name for one in FAULTS)}")
