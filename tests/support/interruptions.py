"""An exception at every place at which a signal handler could raise one."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

# Where frames are read and written, in any version of that.
_FILES = ("_child/frames.py", "processes/wire.py", "multiprocessing/connection.py", "multiprocessing/reduction.py")


class InterruptedHereError(BaseException):
    """As KeyboardInterrupt, and nobody else's."""


def interrupted_everywhere(act: Callable[[], object], step: int = 1) -> Iterator[int]:
    """Run `act` again and again, interrupted `step` lines later each time; ends when it has run to its end.

    What is left of the earlier run has to be put in order between two of them.
    """
    for line in itertools.count(1, step):
        if not _interrupted_at(line, act):
            return
        yield line


def _interrupted_at(line: int, act: Callable[[], object]) -> bool:
    passed = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal passed
        if not frame.f_code.co_filename.endswith(_FILES):
            return None
        if event == "line":
            passed += 1
            if passed == line:
                sys.settrace(None)
                raise InterruptedHereError
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except InterruptedHereError:
        return True
    finally:
        sys.settrace(before)
    return False
