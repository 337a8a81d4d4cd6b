"""The standard streams, as whatever began with the interpreter (a `sitecustomize`, a `.pth`) has left them."""

import contextlib
import os
import sys

_STDERR = 2


def settle() -> None:
    """Take one's own beginning from what was left: nothing waits to be written, and no descriptor is free.

    A channel at the place of a stream that was closed would get what a cell prints.
    """
    for stream in (sys.stdout, sys.stderr):
        # There may be none, or something else by that name.
        with contextlib.suppress(Exception):
            stream.flush()
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= _STDERR:
        os.set_inheritable(descriptor, True)
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)
