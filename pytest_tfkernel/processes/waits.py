"""Waiting for descriptors, in a process where tests and libraries replace `select` and `time`."""

from __future__ import annotations

import enum
import select

from pytest_tfkernel._child import originals
from pytest_tfkernel._child.originals import monotonic

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

__all__ = ["Event", "hung_up", "monotonic", "readable", "ready"]


class Event(enum.Enum):
    """What a wait came upon."""

    READABLE = enum.auto()
    DEATH = enum.auto()
    DEADLINE = enum.auto()


def ready(seconds: float, *descriptors: int) -> set[int]:
    """Those that can be read from, or have ended, within `seconds`; at once when that is not above 0."""
    poll = originals.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(max(0.0, seconds) * 1000)}


def readable(seconds: float, descriptor: int) -> bool:
    """Whether it is among them."""
    return bool(ready(seconds, descriptor))


def hung_up(descriptor: int) -> bool:
    """Whether the other side has ended, which is reported without being asked for."""
    poll = originals.poll()
    poll.register(descriptor, 0)
    return bool(poll.poll(0))
