"""How the supervisor starts a process: fork, what the new process does to itself, and exec."""

import os
import signal
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from . import process

# No target is so high; a limit on descriptors may be low.
_ABOVE = 16


def start(argv: list[str], environment: dict[str, str], order: Mapping[str, Any], descriptors: dict[int, int]) -> int:
    """The pid of a new process; `descriptors` are by target, and closed here.

    Raises OSError with what failed before the exec, or the exec itself.
    """
    try:
        reader, writer = os.pipe()
        pid = os.fork()
    except OSError:
        _close(descriptors.values())
        raise
    if pid == 0:
        os.close(reader)
        _become(argv, environment, order, descriptors, writer)
    _close([*descriptors.values(), writer])
    # End of file is the exec, since the writer is closed by it.
    with os.fdopen(reader, "rb") as file:
        complaint = file.read()
    if complaint:
        raise OSError(complaint.decode("utf-8", "backslashreplace"))
    return pid


def _become(
    argv: list[str], environment: dict[str, str], order: Mapping[str, Any], descriptors: dict[int, int], writer: int
) -> NoReturn:
    try:
        parent = os.getppid()
        signal.set_wakeup_fd(-1)
        # A session of its own: signals to its group don't reach pytest.
        os.setsid()
        process.die_with_parent(parent)
        writer = _out_of_the_way(writer)
        null = os.open(os.devnull, os.O_RDONLY)
        process.place_descriptors({0: null, **descriptors}, inheritable=True)
        process.restrict(order)
        process.reset_signals()
        os.execve(argv[0], argv, environment)  # noqa: S606 - what we are for
    except BaseException as error:
        os.write(writer, f"{error}".encode("utf-8", "backslashreplace"))
    finally:
        os._exit(127)


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _out_of_the_way(descriptor: int) -> int:
    """The same file at a number that no target takes, still closed by exec."""
    import fcntl

    moved: int = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    os.close(descriptor)
    return moved
