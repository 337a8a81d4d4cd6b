"""Signals that this process gets while a script runs, as something to wait for."""

from __future__ import annotations

import collections
import contextlib
import os
import signal
from collections.abc import Iterator

# Those that a person or a system sends to end what runs; SIGQUIT is Ctrl-backslash.
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HEARD = (*PASSED_ON, signal.SIGQUIT)


class HeardSignals:
    """What has come; `descriptor` is readable when something has."""

    def __init__(self) -> None:
        self.descriptor, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._numbers: collections.deque[int] = collections.deque()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hear them from now on; those that were ignored, as in the background, stay so."""
        before = {one: signal.getsignal(one) for one in HEARD}
        earlier = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        try:
            for number, handler in before.items():
                if handler is not signal.SIG_IGN:
                    signal.signal(number, self._hear)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(earlier)
            os.close(self.descriptor)
            os.close(self._writer)

    def take(self) -> list[int]:
        """Those that have come since this was asked last."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.descriptor, 4096)
        return [self._numbers.popleft() for _ in range(len(self._numbers))]

    def _hear(self, number: int, _: object) -> None:
        self._numbers.append(number)
