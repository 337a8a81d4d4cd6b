"""What goes wrong with kernels, as exceptions whose text is what a person needs."""

from __future__ import annotations

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
