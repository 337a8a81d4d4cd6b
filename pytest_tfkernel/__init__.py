"""Real TensorFlow kernels, killed and restarted under test.

The names here are the public ones. They are loaded when they are used: the plugin is imported in
every pytest session, and an idle one should cost nothing. Nothing at all is imported here, since our commands begin
here and then decide where modules may come from.
"""

# As that of `typing`, which type checkers know by its name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from pytest_tfkernel.kernels.faults.fault import Fault
    from pytest_tfkernel.kernels.kernel import Kernel
    from pytest_tfkernel.kernels.launcher import Launcher
    from pytest_tfkernel.model.errors import (
        CallError,
        FaultError,
        FaultNotPossibleError,
        ForkRefusedError,
        KernelDied,
        KernelHung,
        KernelIsDead,
        KernelStartError,
        SpecError,
        SupervisorGoneError,
        TFKernelError,
    )
    from pytest_tfkernel.model.faults import Dies, Lives
    from pytest_tfkernel.model.kernels import CellError, KernelSpec, NotCarried, Outcome, Reply
    from pytest_tfkernel.model.processes import (
        Cause,
        ExitStatus,
        Killer,
        Leftover,
        PostMortem,
        ProcessId,
        ResourceUsage,
    )

__all__ = [
    "CallError",
    "Cause",
    "CellError",
    "Dies",
    "ExitStatus",
    "Fault",
    "FaultError",
    "FaultNotPossibleError",
    "ForkRefusedError",
    "Kernel",
    "KernelDied",
    "KernelHung",
    "KernelIsDead",
    "KernelSpec",
    "KernelStartError",
    "Killer",
    "Launcher",
    "Leftover",
    "Lives",
    "NotCarried",
    "Outcome",
    "PostMortem",
    "ProcessId",
    "Reply",
    "ResourceUsage",
    "SpecError",
    "SupervisorGoneError",
    "TFKernelError",
]

_HOMES = (
    "kernels.faults.fault",
    "kernels.kernel",
    "kernels.launcher",
    "model.errors",
    "model.faults",
    "model.kernels",
    "model.processes",
)


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    for home in _HOMES:
        module = importlib.import_module(f"{__name__}.{home}")
        found = vars(module).get(name)
        if getattr(found, "__module__", None) == module.__name__:
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
