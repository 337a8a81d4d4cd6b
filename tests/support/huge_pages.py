"""What a process has made is gathered in huge pages: a fork then copies a table of some twenty, and not of ten thousand."""

from __future__ import annotations

import ctypes
from pathlib import Path

# Of <linux/mman.h>, since Linux 6.1; an older one refuses.
_MADV_COLLAPSE = 25
_BYTES = 2 << 20


def gather() -> None:
    """Where Linux can't, or has no room for it, all stays as it is."""
    libc = ctypes.CDLL(None)
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        places, rights, _, _, _, *path = line.split()
        first, last = (int(place, 16) for place in places.split("-"))
        if rights.startswith("rw") and path in ([], ["[heap]"]) and last - first >= _BYTES:
            libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), _MADV_COLLAPSE)
