"""Threads of pytest's own process for which its end waits: those that are not daemons, and those that feed a queue."""

from __future__ import annotations

import contextlib
import sys
import threading
import types
import weakref
from collections.abc import Iterator

from pytest_tfkernel.model.resources import Kind, Resource

_DAEMON = "pytest can't exit before it ends: it is not a daemon thread"
_FEEDS = "pytest can't exit before it ends: it feeds a queue that nobody reads"
# Each package that has queues between processes keeps a list of what is to be waited for at the end.
_UTILS = ("multiprocessing.util", "multiprocess.util", "billiard.util")
# Those that the end of pytest ends between two tasks, by the innermost function that they are in then.
_IDLE = ("concurrent.futures.thread", "_worker")
_WAITS = ("threading", "wait")
# What looks after a pool of processes, ends with them: they are told.
_OF_POOLS = ("concurrent.futures.process", "loky.process_executor", "joblib.externals.loky.process_executor")


class _Kept:
    """A test may put others in their place (gevent, a mock)."""

    enumerate = staticmethod(threading.enumerate)
    frames = staticmethod(sys._current_frames)  # noqa: SLF001 - the only way to learn what a thread does


class Threads:
    """Those that were seen; what is there at the first look was started before all turns."""

    def __init__(self) -> None:
        # By their numbers: what a class makes of equality is its own business.
        self._seen: weakref.WeakValueDictionary[int, threading.Thread] = weakref.WeakValueDictionary()
        self.newcomers()

    def newcomers(self) -> list[threading.Thread]:
        """Those that have come since the last call."""
        news = [one for one in _Kept.enumerate() if id(one) not in self._seen]
        self._seen.update((id(one), one) for one in news)
        return news


def in_the_way(thread: threading.Thread) -> Resource | None:
    """A thread as what is left, if the end of pytest would wait for it now; else None."""
    frame = _Kept.frames().get(thread.ident or 0)
    # A greenlet (gevent) is none of the system's.
    if frame is None or not thread.is_alive():
        return None
    innermost = str(frame.f_globals.get("__name__")), frame.f_code.co_name
    if not thread.daemon:
        is_ended = innermost == _IDLE or type(thread).__module__ in _OF_POOLS
        return None if is_ended else _resource(thread, frame, _DAEMON)
    # One that waits for more to feed is told that there is no more.
    if innermost != _WAITS and _is_joined_at_the_end(thread):
        return _resource(thread, frame, _FEEDS)
    return None


def _resource(thread: threading.Thread, frame: types.FrameType, why: str) -> Resource:
    place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    return Resource(Kind.THREAD, str(thread.name), str(thread.ident), detail=f"{why}; it is at {place}")


def _is_joined_at_the_end(thread: threading.Thread) -> bool:
    """Whether a package waits for it at its end, as for the feeder of a queue unless that is told not to."""
    return any(found is thread for found in _joined())


def _joined() -> Iterator[object]:
    for name in _UTILS:
        registry = getattr(sys.modules.get(name), "_finalizer_registry", {})
        for one in list(registry.values()):
            reference = getattr(one, "_weakref", None)
            with contextlib.suppress(Exception):
                yield reference() if reference is not None else None
