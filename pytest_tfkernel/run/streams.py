"""What a script prints, passed on as it comes: a pipe for each stream, of which the last bytes are kept."""

from __future__ import annotations

import os
import select

# What a pipe takes at once when poll(2) calls it writable.
_CHUNK = select.PIPE_BUF
KEPT_BYTES = 16 * 1024


class Stream:
    """One stream: `writer` is for the script, and what comes goes to the descriptor `target`.

    Whoever reads slowly slows the script down, and where nobody reads any more, the script is told so as by any pipe.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.reader, self.writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.reader, False)
        self._pending = b""
        self._tail = bytearray()
        self.count = 0
        self._is_open = True

    @property
    def waits_for(self) -> tuple[int, int] | None:
        """A descriptor and what to wait for there; None where there is no more to come."""
        if not self._is_open:
            return None
        return (self.target, select.POLLOUT) if self._pending else (self.reader, select.POLLIN)

    def hand_over(self) -> None:
        """The script has its end now."""
        os.close(self.writer)
        self.writer = -1

    def move(self) -> None:
        """Pass on what there is, once: read where nothing waits to be written, and write otherwise."""
        if not self._pending:
            self._read()
        elif not self._write(self._pending[:_CHUNK]):
            self.close()

    def finish(self) -> None:
        """Pass on what the pipe still holds after the death, at most as much as a pipe holds."""
        limit = self.count + 2 * (1 << 20)
        while self._is_open:
            while self._is_open and self._pending:
                self._await_reader()
                self.move()
            before = self.count
            if self._is_open:
                self._read()
            if self.count == before or self.count > limit:
                break
        self.close()

    def close(self) -> None:
        """Free it."""
        if self._is_open:
            self._is_open = False
            os.close(self.reader)
        if self.writer >= 0:
            self.hand_over()

    @property
    def tail(self) -> tuple[str, int]:
        """The last words as text, and how many bytes came before them."""
        return self._tail.decode("utf-8", "backslashreplace"), self.count - len(self._tail)

    def _await_reader(self) -> None:
        """Until something can be written, or never will be."""
        poll = select.poll()
        poll.register(self.target, select.POLLOUT)
        poll.poll()

    def _read(self) -> None:
        try:
            data = os.read(self.reader, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self.close()
            return
        self._pending = data
        self.count += len(data)
        self._tail += data
        del self._tail[:-KEPT_BYTES]

    def _write(self, data: bytes) -> bool:
        """False where nobody reads any more."""
        try:
            written = os.write(self.target, data)
        except BlockingIOError:
            # Somebody has made it one that doesn't block.
            return True
        except OSError:
            return False
        self._pending = self._pending[written:]
        return True
