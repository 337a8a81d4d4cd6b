"""What goes wrong with kernels, as exceptions whose text is what a person needs."""

from __future__ import annotations

import builtins

from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.processes import PostMortem


class TFKernelError(Exception):
    """Base of all that this package raises."""


class SpecError(TFKernelError, ValueError):
    """A kernel spec contradicts itself or asks for what isn't there."""


class KernelStartError(TFKernelError):
    """A kernel's process did not get as far as its first reply."""


class NoRoomError(KernelStartError):
    """A limit of the system is in the way; the text says which."""


class ForkRefusedError(KernelStartError):
    """A fork server holds state that doesn't survive a fork."""


class SupervisorGoneError(TFKernelError):
    """The supervisor has ended, and every kernel with it."""


class BusyError(TFKernelError):
    """A signal handler asked for something while what it had interrupted was doing so."""


class CallError(TFKernelError):
    """A function could not be sent, or raised in the kernel; then `error` says what."""

    def __init__(self, message: str, error: CellError | None = None) -> None:
        super().__init__(message)
        self.error = error


class CellRaisedError(TFKernelError):
    """A cell raised, and its reply was checked; `error` says what.

    It is also of the type that the cell raised, where that is a built-in exception.
    """

    def __init__(self, error: CellError) -> None:
        # Not that of the built-in type, which may want other arguments.
        Exception.__init__(self, error)
        self.error = error

    def __str__(self) -> str:
        return f"the cell raised {self.error}\n{self.error.traceback.rstrip()}"

    @classmethod
    def of(cls, error: CellError) -> CellRaisedError:
        """The one to raise for what a cell raised."""
        raised = getattr(builtins, error.type, None)
        if not isinstance(raised, type) or not issubclass(raised, Exception):
            return cls(error)
        both: type[CellRaisedError] = type(cls.__name__, (cls, raised), {"__module__": cls.__module__})
        try:
            return both(error)
        except TypeError:
            # A type that isn't made of one argument, such as a group of exceptions.
            return cls(error)


class TooLargeError(TFKernelError, ValueError):
    """A cell or the arguments of a call don't fit into one message; the kernel lives on."""


class FaultError(TFKernelError, ValueError):
    """A fault or phase that doesn't exist."""


class FaultNotPossibleError(TFKernelError):
    """The fault can't be produced on this machine; the text says why."""


class KernelDied(TFKernelError):  # noqa: N818 - what happened is no error of the caller's
    """A kernel died while it was asked something; `post_mortem` says all that is known."""

    def __init__(self, post_mortem: PostMortem) -> None:
        super().__init__(post_mortem.describe())
        self.post_mortem = post_mortem


class KernelHung(KernelDied):
    """A cell ran over its deadline: the stacks were taken and the processes ended."""


class KernelIsDead(TFKernelError):  # noqa: N818 - see KernelDied
    """A kernel that died earlier was asked something; `post_mortem` is of that death, if any."""

    def __init__(self, message: str, post_mortem: PostMortem | None = None) -> None:
        super().__init__(message)
        self.post_mortem = post_mortem
