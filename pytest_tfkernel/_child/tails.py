"""The last words of a stream, kept in a file in memory that outlives the process."""

import os
import threading
from typing import Any

KEPT_BYTES = 16 * 1024
_MOST_BYTES = 8 * KEPT_BYTES


class Tail:
    """What a stream of ipykernel's takes for a file to echo to. Nothing that goes wrong here is told to the writer."""

    def __init__(self, descriptor: int, beside: Any = None) -> None:
        self._descriptor = descriptor
        self._beside = beside
        self._size = 0
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Keep it, and pass it on to whoever had it before."""
        if self._beside is not None:
            self._beside.write(text)
        try:
            with self._lock:
                self._size += os.write(self._descriptor, text.encode("utf-8", "backslashreplace"))
                if self._size > _MOST_BYTES:
                    self._cut()
        except (OSError, AttributeError):
            return

    def flush(self) -> None:
        """Nothing of ours waits."""
        if self._beside is not None:
            self._beside.flush()

    def _cut(self) -> None:
        kept = os.pread(self._descriptor, KEPT_BYTES, self._size - KEPT_BYTES)
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._size = os.write(self._descriptor, kept)
