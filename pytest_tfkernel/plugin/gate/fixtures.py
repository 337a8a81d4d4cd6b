"""What a fixture's value holds: a pool that starts its processes when it is first used holds them all the same."""

from __future__ import annotations

import gc
import types
from collections import deque

# A fixture's value leads to all there is, if one walks long enough.
_MOST = 5000
# Whatever these refer to isn't held on purpose.
_LOOPS = ("asyncio", "pytest_asyncio", "uvloop")
_DOORS = (types.ModuleType, types.FunctionType, types.FrameType, types.CodeType, type)


def holds(value: object, pid: int) -> bool:
    """Whether a value refers to a process by its pid, which may be an attribute, an element or a key further in."""
    # An event loop, or what makes them, refers to all that is started on it, by whichever test.
    if type(value).__module__.partition(".")[0] in _LOOPS:
        return False
    waiting: deque[object] = deque([value])
    seen: set[int] = set()
    while waiting and len(seen) < _MOST:
        one = waiting.popleft()
        # A bool is an int, and no pid.
        if type(one) is int and one == pid:
            return True
        if id(one) not in seen and not isinstance(one, _DOORS):
            seen.add(id(one))
            waiting.extend(gc.get_referents(one))
    return False
