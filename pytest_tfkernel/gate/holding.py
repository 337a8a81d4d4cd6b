"""What a fixture's value holds: a pool that starts its processes when it is first used holds them all the same."""

from __future__ import annotations

import gc
import types
from collections import deque
from collections.abc import Iterable, Iterator

# A fixture's value leads to all there is, if one walks long enough.
_MOST = 5000
# Whatever these refer to isn't held on purpose.
_LOOPS = ("asyncio", "pytest_asyncio", "uvloop")
_DOORS = (types.ModuleType, types.FrameType, types.CodeType, type)
_LISTS = (list, tuple, set, frozenset, deque)
# In a long list of numbers any pid may be.
_FEW = 16


def holds(value: object, pid: int) -> bool:
    """Whether a value refers to a process by its pid: as it is, in a short list, as `pid` or the like further in."""
    return _is(value, pid) or any(_names(one, pid) for one in _within(value))


def reaches(value: object, wanted: object) -> bool:
    """Whether a value refers to an object, however far in."""
    return any(one is wanted for one in _within(value))


def _within(value: object) -> Iterator[object]:
    """A value and what it refers to, the nearest first."""
    # An event loop, or what makes them, refers to all that is started on it, by whichever test.
    if _package(value) in _LOOPS:
        return
    waiting: deque[object] = deque([value])
    seen: set[int] = set()
    while waiting and len(seen) < _MOST:
        one = waiting.popleft()
        # What pytest has of its own, a `request` say, leads to all tests.
        if id(one) in seen or isinstance(one, _DOORS) or _package(one) == "_pytest":
            continue
        seen.add(id(one))
        yield one
        waiting.extend(_referents(one))


def _names(one: object, pid: int) -> bool:
    """Whether it refers to the process itself, and not through something else."""
    if isinstance(one, dict):
        # Whatever a subclass makes of this; and another thread may be changing it.
        items = list(dict.items(one))
        if len(items) <= _FEW and any(_is(key, pid) for key, _ in items):
            return True
        return any(type(key) is str and "pid" in key.lower() and _is(each, pid) for key, each in items)
    if type(one) in _LISTS:
        each_one = gc.get_referents(one)
        return len(each_one) <= _FEW and any(_is(each, pid) for each in each_one)
    found = attributes(one)
    if found is not None:
        return _names(found, pid)
    return any(_is(each, pid) for each in _referents(one))


def _referents(one: object) -> Iterable[object]:
    """What it refers to; of a function not the names of its module, which lead everywhere."""
    if isinstance(one, types.FunctionType):
        return [*(one.__closure__ or ()), one.__defaults__, one.__kwdefaults__]
    return gc.get_referents(one)


def attributes(one: object) -> dict[str, object] | None:
    """Those that an object has of its own; None where it has none."""
    # Not by `vars`: what a class makes of `__dict__` may be anything.
    try:
        found = object.__getattribute__(one, "__dict__")
    except AttributeError:
        return None
    return found if type(found) is dict and found else None


def _is(one: object, pid: int) -> bool:
    # A bool is an int, and no pid.
    return type(one) is int and one == pid


def _package(one: object) -> str:
    return type(one).__module__.partition(".")[0]
