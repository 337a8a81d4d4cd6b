"""Clock, poll(2) and fcntl(2) as they are, whatever somebody has put in their place.

gevent, eventlet, freezegun, pyfakefs and tests replace names in `time`, `select` and `fcntl`, some before we are
imported. The C modules `posix` and `_socket` they leave alone, so those stand for `os` and `socket` where it matters.
"""

import fcntl as _fcntl
import importlib.util
import select
import sys
import time
from typing import Any


def _pristine(name: str) -> Any:
    """The C module anew, as nobody has changed it; only from Python 3.9 on is that another object."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None or sys.version_info < (3, 9):
        return sys.modules[name]
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Taken:
    """Not names of the module: in those, freezegun and pyfakefs look for what they replace."""

    poll: Any = getattr(select, "poll", None)
    if not isinstance(poll, type(len)) or poll.__module__ != "select":
        poll = _pristine("select").poll
    # Not `monotonic`, which freezegun stops. It is the same clock.
    clock_gettime = time.clock_gettime
    clock = time.CLOCK_MONOTONIC
    fcntl = _fcntl.fcntl


def poll() -> Any:
    """A new `select.poll` object."""
    return _Taken.poll()


def monotonic() -> float:
    """Seconds of CLOCK_MONOTONIC."""
    return _Taken.clock_gettime(_Taken.clock)


def fcntl(descriptor: int, command: int, argument: int) -> int:
    """As `fcntl.fcntl`."""
    answer: int = _Taken.fcntl(descriptor, command, argument)
    return answer
