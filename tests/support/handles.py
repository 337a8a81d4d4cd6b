"""What stays open in pytest's own process, in which other threads open and close files as they like."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator

_SECONDS = 60.0


@contextlib.contextmanager
def none_stays() -> Iterator[None]:
    """Fail when something was opened within, and stays open.

    Two looks are never the same for certain: a thread that an earlier test has left may close what it had, or read a
    file just now. What leaks stays for good, so it is looked again until nothing new is there.
    """
    before = set(_opened())
    yield
    _await(lambda: set(_opened()) <= before, lambda: f"opened and not closed: {sorted(set(_opened()) - before)}")


def do_not_grow(count: int) -> None:
    """Fail when more than so many descriptors are open, and stay so."""
    _await(lambda: len(list(_opened())) <= count, lambda: f"more than {count} are open: {sorted(_opened())}")


def opened() -> int:
    """How many are open."""
    return len(list(_opened()))


def _opened() -> Iterator[tuple[str, str]]:
    """By number, and what they lead to; without that of this look."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            yield name, os.readlink(f"/proc/self/fd/{name}")


def _await(condition: Callable[[], bool], words: Callable[[], str]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        # pytest doesn't look into an assertion of this module.
        assert time.monotonic() < deadline, words()
        time.sleep(0.005)
