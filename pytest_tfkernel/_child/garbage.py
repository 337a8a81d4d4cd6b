"""The garbage collector in a process that imports much, and from which others are forked."""

import contextlib
import gc
from typing import Iterator

_NEVER = 1 << 30


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Have nothing collected meanwhile: what is imported stays, and looking for garbage takes a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(_NEVER, *before[1:])
    try:
        yield
    finally:
        # Unless what was imported has chosen its own.
        if gc.get_threshold()[0] == _NEVER:
            gc.set_threshold(*before)


def freeze() -> None:
    """Collect what is garbage, and never look at the rest again: forks share its pages."""
    gc.collect()
    freeze = getattr(gc, "freeze", None)  # from Python 3.7 on
    if freeze is not None:
        freeze()
