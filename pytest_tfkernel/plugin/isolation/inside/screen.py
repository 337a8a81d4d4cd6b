"""pytest's own stdout and stderr, in a process whose output is kept in files."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

from pytest_tfkernel.plugin.isolation.inside.output import Streams
from pytest_tfkernel.processes.descriptors import Owned


class Screen:
    """While it is shown, what this process prints and pytest doesn't capture is where pytest itself prints."""

    def __init__(self, descriptors: tuple[int, int]) -> None:
        self._owned: list[Owned] = []
        # pytest may have begun without one of them.
        with contextlib.suppress(OSError):
            for descriptor in descriptors:
                os.set_inheritable(descriptor, False)  # noqa: FBT003 - it takes no names
            self._owned = [Owned.take(descriptor) for descriptor in descriptors]
        self._libc = ctypes.CDLL(None)
        self._stdout = ctypes.c_void_p.in_dll(self._libc, "stdout")
        # Whose place they take, what was there, and whether they have it.
        self._streams: Streams | None = None
        self._kept: list[Owned] = []
        self._is_on = False

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show it meanwhile."""
        # Somebody may have closed descriptors 1 and 2, or ours: the output stays where it is then.
        with contextlib.suppress(OSError):
            if self._owned and all(one.is_ours() for one in self._owned):
                self._streams = Streams.here()
                self._kept = [Owned.take(os.dup(descriptor)) for descriptor in (1, 2)]
        self.show()
        try:
            yield
        finally:
            self.hide()
            for kept in self._kept:
                kept.close()
            self._streams, self._kept = None, []

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """Not, for what pytest's own process prints as well."""
        self.hide()
        try:
            yield
        finally:
            self.show()

    def show(self) -> None:
        """Again, after it was hidden."""
        if not self._is_on:
            self._exchange(self._kept, self._owned)

    def hide(self) -> None:
        """Until it is shown again."""
        if self._is_on:
            self._exchange(self._owned, self._kept)

    def is_covered(self) -> bool:
        """Whether something else, such as pytest's capture, has taken its place where it is shown."""
        return self._is_on and not Owned(1, self._owned[0].identity).is_ours()

    def _exchange(self, old: list[Owned], new: list[Owned]) -> None:
        if self._streams is None or len(self._kept) != len(self._owned):
            return
        self._flush()
        self._is_on = new is self._owned
        for targets, one, other in zip((self._streams.stdout, self._streams.stderr), old, new, strict=True):
            _replace(targets, one, other)

    def _flush(self) -> None:
        """What was printed belongs where it was printed."""
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()  # type: ignore[union-attr]
        self._libc.fflush(self._stdout)


def _replace(targets: tuple[int, ...], old: Owned, new: Owned) -> None:
    """Where a test has put something else, that stays."""
    if new.is_ours():
        for target in targets:
            if Owned(target, old.identity).is_ours():
                # A test may have left no room for it: then it stays, too.
                with contextlib.suppress(OSError):
                    os.dup2(new.number, target, inheritable=os.get_inheritable(target))
