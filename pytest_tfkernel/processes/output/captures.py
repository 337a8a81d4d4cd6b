"""What a kernel writes: files in memory that are readable after its death."""

from __future__ import annotations

import ctypes
import posix
from fcntl import F_SETFL
from os import SEEK_CUR

from pytest_tfkernel._child import originals
from pytest_tfkernel.processes.descriptors import Owned
from pytest_tfkernel.processes.output.extents import HEAD, Extent

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
            posix.write(descriptor, HEAD)
        self.owned = Owned.take(descriptor)
        self._extent = Extent(posix.pread(descriptor, len(HEAD), 0))

    @property
    def descriptor(self) -> int:
        """Its number in this process."""
        return self.owned.number

    def size(self) -> int:
        """Bytes written so far, also those whose memory was given back, and those that were truncated.

        What was seen of it when somebody has closed our descriptor.
        """
        if self.owned.is_ours():
            size = posix.fstat(self.descriptor).st_size
            position = posix.lseek(self.descriptor, 0, SEEK_CUR)
            if self._extent.look(size, position, posix.pread(self.descriptor, len(HEAD), 0)):
                self._given_back = 0
        return self._extent.end

    def read(self, start: int, limit: int) -> tuple[str, int]:
        """The last `limit` bytes written since `start` as text, and how many before them were cut.

        Of what a writer has truncated, that is what was seen of it, and at least one byte.
        """
        end = self.size()
        first = max(min(start, end), end - limit, self._extent.place(self._given_back))
        begin, length = self._extent.offset(first), end - first
        data = bytearray()
        while len(data) < length and self.owned.is_ours():
            more = posix.pread(self.descriptor, length - len(data), begin + len(data))
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
        # Not the first page: it shows whether the file is the same still.
        since = max(self._given_back, page)
        until = self._extent.offset(self.size() - KEPT_BYTES) // page * page
        if until <= since or not self.owned.is_ours():
            return False
        libc = ctypes.CDLL(None, use_errno=True)
        done = libc.fallocate(
            self.descriptor,
            _FALLOC_FL_PUNCH_HOLE | _FALLOC_FL_KEEP_SIZE,
            ctypes.c_long(since),
            ctypes.c_long(until - since),
        )
        if done != 0:
            return False
        self._given_back = until
        return True

    def close(self) -> None:
        """Free it, once its last writer has closed it too."""
        self.owned.close()
