"""Whether the system gives what a supervisor needs; asked in this process, since it gives a child no more."""

from __future__ import annotations

import ctypes
import errno
import os
import posix
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pytest_tfkernel.model.errors import KernelStartError

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_SECCOMP = (
    "a seccomp filter does that, such as that of an old Docker or `SystemCallFilter=` of systemd: allow it, or start"
    " the container with `docker run --security-opt seccomp=unconfined`"
)
_NOT_MOUNTED = "mount it (`mount -t proc proc /proc`), or bind that of the host into the sandbox"
_OTHERS = "it is that of another pid namespace: mount one of this (`unshare --mount-proc`)"
# Of <sys/prctl.h>: each is read, and then set to what it is.
_DEATH_SIGNAL, _SET_DEATH_SIGNAL = 2, 1
_SUBREAPER, _SET_SUBREAPER = 37, 36


def _prctl(option: int, argument: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, argument, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@dataclass(frozen=True)
class Calls:
    """The calls of the system that are looked at."""

    pidfd_open: Callable[[int], int] = posix.pidfd_open
    pidfd_send_signal: Callable[[int, int], None] = signal.pidfd_send_signal
    memfd_create: Callable[[str], int] = posix.memfd_create
    prctl: Callable[[int, object], None] = _prctl
    executable: str | None = field(default_factory=lambda: sys.executable)
    proc: Path = Path("/proc")


def check(calls: Calls | None = None) -> None:
    """Raise KernelStartError, with what is refused and what allows it, where no supervisor could begin."""
    calls = calls or Calls()
    _check_python(calls.executable)
    _check_proc(calls.proc)
    with _needed("memfd_create", "Linux 3.17"):
        os.close(calls.memfd_create("tfkernel-preflight"))
    with _needed("pidfd_open", "Linux 5.3"):
        pidfd = calls.pidfd_open(posix.getpid())
    try:
        with _needed("pidfd_send_signal", "Linux 5.1"):
            calls.pidfd_send_signal(pidfd, 0)
    finally:
        os.close(pidfd)
    with _needed("prctl", "Linux 3.4"):
        for get, put in ((_DEATH_SIGNAL, _SET_DEATH_SIGNAL), (_SUBREAPER, _SET_SUBREAPER)):
            value = ctypes.c_int()
            calls.prctl(get, ctypes.byref(value))
            calls.prctl(put, ctypes.c_ulong(value.value))


def cannot_begin(words: str) -> KernelStartError:
    """For a supervisor that has ended before it answered, whatever the reason."""
    said = f" and said {words!r}" if words else ""
    return KernelStartError(
        f"nothing can be started here: the process that starts them ended at once{said}; {sys.executable!r} must be a"
        f" Python that starts, and where that names a call that is refused: {_SECCOMP}"
    )


def _check_python(executable: str | None) -> None:
    if not executable or not os.access(executable, os.X_OK):
        raise KernelStartError(
            f"nothing can be started here: sys.executable is {executable!r}, which can't be run: start pytest with"
            " the Python of an environment that still exists"
        )


def _check_proc(proc: Path) -> None:
    try:
        pid = str((proc / "self").readlink())
        (proc / "self/stat").read_bytes()
    except OSError as error:
        raise KernelStartError(
            f"nothing can be started here: {proc} can't be read ({error.strerror}): {_NOT_MOUNTED}"
        ) from None
    if pid != str(posix.getpid()):
        raise KernelStartError(f"nothing can be started here: {proc} shows us as process {pid}: {_OTHERS}")


@contextmanager
def _needed(call: str, since: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, error.errno)
        why = f"it is of {since}, or {_SECCOMP}" if error.errno == errno.ENOSYS else _SECCOMP
        raise KernelStartError(
            f"nothing can be started here: {call} is refused ({code}: {error.strerror}): {why}"
        ) from None
