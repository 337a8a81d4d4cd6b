"""The public names, each with where it lives. `pytest_tfkernel` has them all, and loads this when one is asked for."""

from pytest_tfkernel.kernels.factory import KernelFactory as KernelFactory
from pytest_tfkernel.kernels.faults.fault import Fault as Fault
from pytest_tfkernel.kernels.kernel import Kernel as Kernel
from pytest_tfkernel.kernels.launcher import Launcher as Launcher
from pytest_tfkernel.model.cells import CellError as CellError
from pytest_tfkernel.model.errors import (
    CallError as CallError,
    CellRaisedError as CellRaisedError,
    FaultError as FaultError,
    FaultNotPossibleError as FaultNotPossibleError,
    ForkRefusedError as ForkRefusedError,
    KernelDied as KernelDied,
    KernelHung as KernelHung,
    KernelIsDead as KernelIsDead,
    KernelStartError as KernelStartError,
    SpecError as SpecError,
    SupervisorGoneError as SupervisorGoneError,
    TFKernelError as TFKernelError,
)
from pytest_tfkernel.model.faults import Dies as Dies, Lives as Lives
from pytest_tfkernel.model.kernels import (
    KernelSpec as KernelSpec,
    NotCarried as NotCarried,
    Outcome as Outcome,
    Reply as Reply,
)
from pytest_tfkernel.model.processes import (
    Cause as Cause,
    ExitStatus as ExitStatus,
    Killer as Killer,
    Leftover as Leftover,
    PostMortem as PostMortem,
    ProcessId as ProcessId,
    ResourceUsage as ResourceUsage,
)
from pytest_tfkernel.model.provisioners import (
    ForkServer as ForkServer,
    Jupyter as Jupyter,
    Multiprocess as Multiprocess,
    Spyder as Spyder,
    Subprocess as Subprocess,
)

NAMES = sorted(name for name in dir() if name[0].isupper())
