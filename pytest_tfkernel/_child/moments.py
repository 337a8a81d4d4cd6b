"""A moment in the life of a script at which a fault strikes: it says that it is there, and waits for the blow.

A moment is {"functions": [[end of a file's path, name], ...], "exiting": bool, "knock": bool, "cell": "..."}: the first
call of one of the functions, or the end of the script when atexit functions run, or a signal that knocks. A signal may
be sent when `READY` was said: before it, an interrupt would be ignored. Whoever hears that the script is `THERE`
strikes or makes ready, and answers with `GO`; then the `cell` runs, if the fault is one.
"""

import atexit
import os
import signal
import sys
import types
from typing import Any, Callable, Dict, Tuple

from . import uncaught

KNOCK_SIGNAL = signal.SIGRTMIN + 7
READY, THERE, GO = b"r", b"i", b"o"


def await_it(moment: Dict[str, Any], descriptor: int) -> None:
    """Have the fault strike when the moment comes, once, in the main thread."""
    os.set_inheritable(descriptor, False)

    def strike() -> None:
        os.write(descriptor, THERE)
        os.read(descriptor, 1)
        if moment["cell"]:
            exec(compile(moment["cell"], "<fault>", "exec", dont_inherit=True), {"__name__": "__fault__"})  # noqa: S102 - it is the fault

    if moment["knock"]:
        # The main thread runs it between two of its own steps.
        signal.signal(KNOCK_SIGNAL, lambda *_: strike())
    os.write(descriptor, READY)
    if moment["exiting"]:
        atexit.register(_at_exit, strike)
    wanted: Dict[str, Tuple[str, ...]] = {}
    for end, name in moment["functions"]:
        wanted[name] = (*wanted.get(name, ()), end)
    if wanted:
        sys.setprofile(_watch_for(wanted, strike))


def _at_exit(strike: Callable[[], None]) -> None:
    """What is raised there ends nothing, as that of any function that is called then."""
    try:
        strike()
    except SystemExit:
        return
    except BaseException as error:
        uncaught.show(error)


def _watch_for(wanted: Dict[str, Tuple[str, ...]], strike: Callable[[], None]) -> Callable[..., None]:
    find = wanted.get

    def watch(frame: types.FrameType, event: str, _: Any) -> None:
        # Of each call that the script makes: first what is cheap.
        if event != "call":
            return
        ends = find(frame.f_code.co_name)
        if ends is None or not frame.f_code.co_filename.endswith(ends):
            return
        sys.setprofile(None)
        strike()

    return watch
