"""How the supervisor ends processes: all that match, and what they start meanwhile."""

import re
import signal
import time
from collections.abc import Callable

from . import proc

# More processes than this are stopped before any is killed: under a limit, each one killed makes
# room for a fork bomb to fork again.
_CROWD = 16
# Stopped, as far as can be seen: of one without its first thread it can't.
_STILL = ("T", proc.HEADLESS)
# multiprocessing's own, multiprocess' and loky's: they remove shared memory and semaphores when all who could use it
# have ended.
_TRACKER = re.compile(r"\b(resource|semaphore)_tracker import main\b")

_Key = tuple[int, int]  # pid and start time


class Ending:
    """One ending. `find` finds what is to end, and reaps; `send` sends a signal to one process, or raises OSError.

    `wait` returns when a child has ended, at the latest after the seconds it is given, since a grandchild's end isn't
    signalled to us.
    """

    def __init__(
        self,
        find: Callable[[], list[proc.Process]],
        send: Callable[[proc.Process, int], None],
        wait: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._send = send
        self._wait = wait
        self._clock = clock
        self._trackers: dict[_Key, bool] = {}
        # Those of another user by now, as after the exec of a set-uid program.
        self._refused: set[_Key] = set()
        self._alone_since: float | None = None

    def run(self, seconds: float, moment: float) -> list[proc.Process]:
        """Kill what is found until nothing is; what is left after `seconds`, or may not be ended.

        Trackers that are alone have a `moment` in seconds to end by themselves.
        """
        started = self._clock()
        while True:
            found = self._find()
            passed = self._clock() - started
            pending = [one for one in found if _key(one) not in self._refused]
            if not pending or passed > seconds:
                return [one for one in found if one["state"] != "Z"]
            others = [one for one in pending if one["state"] != "Z" and not self._is_tracker(one)]
            # Half of the time at most: on a busy machine, stopping a crowd may not come to an end.
            if passed < seconds / 2 and len(others) > _CROWD and any(one["state"] not in _STILL for one in others):
                self._each(others, signal.SIGSTOP)
                continue
            self._each(others or self._due(pending, moment), signal.SIGKILL)
            self._wait(0.02)

    def _due(self, trackers: list[proc.Process], moment: float) -> list[proc.Process]:
        """Trackers, when they were alone for long enough; nothing before."""
        now = self._clock()
        if self._alone_since is None:
            self._alone_since = now
        return trackers if now - self._alone_since > moment else []

    def _is_tracker(self, one: proc.Process) -> bool:
        key = _key(one)
        if one["state"] == proc.HEADLESS:
            return False  # it has no command line either, and no tracker has another thread
        if key not in self._trackers:
            command = proc.command_line(one["pid"])
            if command.startswith("["):
                return True  # it is just being executed, and may become one
            self._trackers[key] = is_tracker(command)
        return self._trackers[key]

    def _each(self, found: list[proc.Process], number: int) -> None:
        for one in found:
            if one["state"] == "Z":
                continue
            try:
                self._send(one, number)
            except ProcessLookupError:
                continue  # it ended by itself
            except PermissionError:
                self._refused.add(_key(one))


def is_tracker(command: str) -> bool:
    """Whether a process with this command line removes what others have shared, and ends when these have ended."""
    return _TRACKER.search(command) is not None


def _key(one: proc.Process) -> _Key:
    return one["pid"], one["start_time"]
