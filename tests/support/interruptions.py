"""An exception at every place at which a signal handler could raise one."""

from __future__ import annotations

import ast
import functools
import itertools
import opcode
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
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

    def trace(frame: FrameType, *_: object) -> Any:
        if not frame.f_code.co_filename.endswith(_FILES):
            return None
        statements = _with_statements(frame.f_code.co_filename)
        entered: set[int] = set()

        def arrive(frame: FrameType, event: str, _: object) -> Any:
            nonlocal passed
            if event == "line" and not _is_left(frame.f_lineno, statements, entered) and not _is_nothing(frame):
                passed += 1
                if passed == line:
                    sys.settrace(None)
                    raise InterruptedHereError
            return arrive

        return arrive

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except InterruptedHereError:
        return True
    finally:
        sys.settrace(before)
    return False


def _is_left(line: int, statements: frozenset[int], entered: set[int]) -> bool:
    """Whether a line is arrived at because its `with` ends: before what that calls no signal handler runs."""
    if line in entered:
        entered.remove(line)
        return True
    if line in statements:
        entered.add(line)
    return False


def _is_nothing(frame: FrameType) -> bool:
    """Whether nothing happens there, as where a `try` begins, of which an enclosing `with` needn't know."""
    return opcode.opname[frame.f_code.co_code[frame.f_lasti]] == "NOP"


@functools.cache
def _with_statements(path: str) -> frozenset[int]:
    """The lines at which one begins."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return frozenset(one.lineno for one in ast.walk(tree) if isinstance(one, ast.With))
