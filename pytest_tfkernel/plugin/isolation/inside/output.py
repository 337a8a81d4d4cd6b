"""Where the output of a forked process goes: files in memory that pytest reads after its death."""

from __future__ import annotations

import ctypes
import io
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_LINES = 1  # _IOLBF of stdio.h


def buffer_lines() -> None:
    """Have stdout written line by line, by C and by Python, so that a crash loses little of it."""
    libc = ctypes.CDLL(None)
    libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _LINES, ctypes.c_size_t(0))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


@dataclass(frozen=True)
class Streams:
    """The descriptors of this process that are the files of its stdout and stderr: those that pytest keeps, too."""

    stdout: tuple[int, ...]
    stderr: tuple[int, ...]

    @classmethod
    def here(cls) -> Streams:
        """Those that are open now."""
        return cls(tuple(_same_file(1)), tuple(_same_file(2)))

    def replace(self, stdout: int, stderr: int) -> None:
        """Let all of them be these two, which are closed."""
        for targets, source in ((self.stdout, stdout), (self.stderr, stderr)):
            # Where nothing is captured, all of them may be the same file.
            for target in {*targets} - {stdout, stderr}:
                os.dup2(source, target, inheritable=os.get_inheritable(target))
            os.close(source)


def capture(stdout: int, stderr: int) -> None:
    """Let pytest's own capture write into these two from now on; it must be on."""
    Streams.here().replace(stdout, stderr)


def _same_file(descriptor: int) -> Iterable[int]:
    wanted = os.fstat(descriptor)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - nothing is imported for it
        try:
            if os.path.samestat(os.fstat(int(name)), wanted):
                yield int(name)
        except OSError:
            continue  # the descriptor of the listing itself
