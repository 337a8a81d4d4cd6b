"""How an exception that nobody caught is shown: as the interpreter shows it, without frames of ours."""

import ast
import os
import sys
import traceback
import types
from typing import Optional


def own_frames(error: BaseException) -> Optional[types.TracebackType]:
    """A traceback without the frames in which the user's code begins, and those that strike it (see `moments`)."""
    first = frame = _next_own(error.__traceback__)
    while frame is not None:
        following = _next_own(frame.tb_next)
        # It can be set since Python 3.7.
        if following is not frame.tb_next and sys.version_info >= (3, 7):
            frame.tb_next = following
        frame = following
    return first


def _next_own(frame: Optional[types.TracebackType]) -> Optional[types.TracebackType]:
    ours = os.path.dirname(os.path.abspath(__file__))
    while frame is not None:
        filename = frame.tb_frame.f_code.co_filename
        if os.path.dirname(filename) != ours and filename != ast.__file__:
            break
        frame = frame.tb_next
    return frame


def show(error: BaseException) -> None:
    """Write it to stderr, or have the hook of the user's do what it does."""
    error = error.with_traceback(own_frames(error))
    if sys.excepthook is sys.__excepthook__:
        # Not the built-in hook: it doesn't know the text of cells.
        traceback.print_exception(type(error), error, error.__traceback__)
    else:
        sys.excepthook(type(error), error, error.__traceback__)
