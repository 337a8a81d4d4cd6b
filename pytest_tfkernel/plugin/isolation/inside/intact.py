"""The builtins as they were before tests ran, and what is said of a failure among those that a test has put there.

A test may have replaced any of them for good. So what runs before they are back asks for none, by name.
"""

from __future__ import annotations

import builtins

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# What a test has put in the place of these two, by their own names, catches nothing.
AnyError = BaseException
OrdinaryError = Exception


class Intact:
    """What is there now is what `restore` puts back."""

    def __init__(self) -> None:
        self._now = builtins.__dict__
        self._before = self._now.copy()
        self._replaced: dict[str, None] = {}

    def restore(self) -> None:
        """Put them back, in a process that runs no further test."""
        for name, one in self._before.items():
            # What a prompt has shown last.
            if self._now.get(name) is not one and name != "_":
                self._replaced[name] = None
        self._now.update(self._before)

    def told(self, error: BaseException) -> str:
        """What somebody needs of an exception that pytest has not expected: what, where, and what was replaced."""
        self.restore()
        first = error
        seen = {id(error)}
        while first.__context__ is not None and id(first.__context__) not in seen:
            first = first.__context__
            seen.add(id(first))
        words = _words(error) if first is error else f"{_words(first)}, and then {_words(error)}"
        names = ", ".join(f"builtins.{name}" for name in self._replaced)
        return f"{words}; replaced in that process: {names}" if names else words


def _words(error: BaseException) -> str:
    kind = error.__class__
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        said = f": {error}".rstrip(": \n")
    except AnyError:
        said = ": its text can't be read"
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" ({frame.tb_frame.f_code.co_filename}:{frame.tb_lineno})" if frame is not None else ""
    return f"{name}{said}{place}"
