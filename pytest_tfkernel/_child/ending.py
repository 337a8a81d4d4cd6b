"""How the supervisor ends processes: all that match, and what they start meanwhile."""

import os
import signal
import time
from collections.abc import Callable

from . import proc

# More processes than this are stopped before any is killed: under a limit, each one killed makes
# room for a fork bomb to fork again.
_CROWD = 16


def end(
    find: Callable[[], list[proc.Process]],
    seconds: float,
    kill: Callable[[proc.Process], None],
    wait: Callable[[float], None],
) -> list[proc.Process]:
    """Kill what `find` finds until it finds nothing; what is left after `seconds`.

    `find` also reaps. `kill` sends SIGKILL to one process; `wait` returns when a child has ended, at the latest
    after the seconds it is given, since a grandchild's end isn't signalled to us.
    """
    started = time.monotonic()
    while True:
        found = find()
        passed = time.monotonic() - started
        if not found or passed > seconds:
            return [one for one in found if one["state"] != "Z"]
        # Half of the time at most: on a busy machine, stopping a crowd may not come to an end.
        if passed < seconds / 2 and len(found) > _CROWD and any(one["state"] not in "TZ" for one in found):
            _each(found, _stop)
            continue
        _each(found, kill)
        wait(0.02)


def _stop(one: proc.Process) -> None:
    os.kill(one["pid"], signal.SIGSTOP)


def _each(found: list[proc.Process], act: Callable[[proc.Process], None]) -> None:
    for one in found:
        if one["state"] == "Z" or proc.start_time(one["pid"]) != one["start_time"]:
            continue
        try:
            act(one)
        except ProcessLookupError:
            continue  # it ended by itself
