"""What a kernel prints, which comes in two ways: as messages of Jupyter's, and through its descriptors.

ipykernel puts a pipe of its own in the place of each descriptor. What it reads there it publishes, and writes to
the descriptor that it was given as well: all that native code prints comes twice, but for the last words of a process
that dies. Those are in the pipe still, or were given and not published.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pytest_tfkernel.processes.output.captures import KEPT_BYTES, Capture

# At least what a pipe holds by default (pipe(7)).
_LAST_WORDS = 1 << 16
_NAMES = {"stdout": 1, "stderr": 2}


class Prints:
    """Of one process; `shown` is what a person sees, and `given` are the files that its descriptors are at first."""

    def __init__(self) -> None:
        self._streams = {name: _Stream(name, number) for name, number in _NAMES.items()}

    @property
    def shown(self) -> tuple[int, int]:
        """The descriptors of stdout and stderr as they are shown."""
        return self._streams["stdout"].shown.descriptor, self._streams["stderr"].shown.descriptor

    @property
    def given(self) -> tuple[int, int]:
        """The descriptors for the process."""
        return self._streams["stdout"].given.descriptor, self._streams["stderr"].given.descriptor

    def hear(self, name: str, text: str) -> None:
        """Show what was published."""
        if name in self._streams:
            self._streams[name].hear(text)

    def look_at(self, pid: int) -> None:
        """See whether the process, which is ready for cells, publishes what is written to its descriptors."""
        for stream in self._streams.values():
            stream.look_at(pid)

    def settle(self) -> None:
        """Between cells, show what was written and isn't published."""
        for stream in self._streams.values():
            stream.settle()

    def last_words(self) -> None:
        """Show what a dead process has written and not published."""
        for stream in self._streams.values():
            stream.last_words()

    def close(self) -> None:
        """Free what is ours."""
        for stream in self._streams.values():
            stream.close()


class _Stream:
    def __init__(self, name: str, number: int) -> None:
        self.shown, self.given = Capture(name), Capture(f"given-{name}")
        self._number = number
        # The pipe of a kernel that publishes what it reads there.
        self._pipe: int | None = None
        # Where what is shown and what was given began to differ.
        self._settled = 0, 0

    def hear(self, text: str) -> None:
        _write(self.shown.descriptor, text.encode("utf-8", "backslashreplace"))
        self.given.reclaim()

    def look_at(self, pid: int) -> None:
        self.settle()
        with contextlib.suppress(OSError):
            path = Path(f"/proc/{pid}/fd/{self._number}")
            if self._pipe is None and path.readlink().name.startswith("pipe:"):
                # Open as long as we are, so that it outlives the kernel.
                self._pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def settle(self) -> None:
        if self._pipe is None:
            _write(self.shown.descriptor, self._given_since().encode("utf-8", "backslashreplace"))
        self.given.reclaim()
        self._settled = self.shown.size(), self.given.size()

    def last_words(self) -> None:
        if self._pipe is None:
            self.settle()
            return
        words = self._given_since()
        with contextlib.suppress(OSError):
            # ipykernel wakes its own reader with a zero.
            words += os.read(self._pipe, _LAST_WORDS).decode("utf-8", "replace").rstrip("\0")
        heard = self.shown.read(self._settled[0], KEPT_BYTES)[0]
        _write(self.shown.descriptor, _unheard(words, heard).encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        self.shown.close()
        self.given.close()
        if self._pipe is not None:
            os.close(self._pipe)

    def _given_since(self) -> str:
        return self.given.read(self._settled[1], KEPT_BYTES if self._pipe is None else _LAST_WORDS)[0]


def _unheard(words: str, heard: str) -> str:
    """The lines that aren't, in the same order, among those that were heard."""
    found, unheard = 0, []
    for line in words.splitlines(keepends=True):
        position = heard.find(line, found)
        if position < 0:
            unheard.append(line)
        else:
            found = position + len(line)
    return "".join(unheard)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
