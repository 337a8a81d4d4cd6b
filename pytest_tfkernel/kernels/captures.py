"""What a kernel writes: files in memory that are readable after its death."""

from __future__ import annotations

import ctypes
import posix
from fcntl import F_SETFL

from pytest_tfkernel._child import originals
from pytest_tfkernel.kernels.descriptors import Owned

_FALLOC_FL_KEEP_SIZE = 1
_FALLOC_FL_PUNCH_HOLE = 2
# What is kept of a stream when its memory is given back; a reply shows as much.
KEPT_BYTES = 1024 * 1024


class Capture:
    """One stream of one process: a memfd that its writers append to.

    Nothing needs to read it while the kernel runs: no thread of ours, no pipe that fills up.
    """

    def __init__(self, name: str, descriptor: int | None = None) -> None:
        """Make one, or take over one that another process has made."""
        self._given_back = 0
        if descriptor is None:
            descriptor = posix.memfd_create(f"tfkernel-{name}", posix.MFD_CLOEXEC)
            # Writers share this open file: with O_APPEND two of them don't overwrite each other.
            originals.fcntl(descriptor, F_SETFL, posix.O_APPEND)
        self._owned = Owned.take(descriptor)

    @property
    def descriptor(self) -> int:
        """Its number in this process."""
        return self._owned.number

    def size(self) -> int:
        """Bytes written so far, also those whose memory was given back; 0 when somebody has closed our descriptor."""
        return posix.fstat(self.descriptor).st_size if self._owned.is_ours() else 0

    def read(self, start: int, limit: int) -> tuple[str, int]:
        """The last `limit` bytes written since `start` as text, and how many before them were cut."""
        end = self.size()
        first = max(min(start, end), end - limit, self._given_back)
        data = bytearray()
        while first + len(data) < end:
            more = posix.pread(self.descriptor, end - first - len(data), first + len(data))
            if not more:
                break
            data += more
        return data.decode("utf-8", "backslashreplace"), first - min(start, end)

    def reclaim(self) -> bool:
        """Give back the memory of all but the last bytes; True when there was any to give.

        The memory of a memfd is charged to its writer: a kernel under a memory limit would
        otherwise be killed for what it printed.
        """
        page = posix.sysconf("SC_PAGE_SIZE")
        until = (self.size() - KEPT_BYTES) // page * page
        if until <= self._given_back:
            return False
        libc = ctypes.CDLL(None, use_errno=True)
        done = libc.fallocate(
            self.descriptor,
            _FALLOC_FL_PUNCH_HOLE | _FALLOC_FL_KEEP_SIZE,
            ctypes.c_long(self._given_back),
            ctypes.c_long(until - self._given_back),
        )
        if done != 0:
            return False
        self._given_back = until
        return True

    def close(self) -> None:
        """Free it, once its last writer has closed it too."""
        self._owned.close()
