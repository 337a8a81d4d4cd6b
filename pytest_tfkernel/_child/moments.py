"""A moment in the life of a script at which a fault strikes: it says that it is there, and waits for the blow.

A moment is {"functions": [[end of a file's path, name], ...], "exiting": bool, "cell": "..."}: the first call of one of
the functions, or the end of the script when atexit functions run. Whoever hears the byte on the socket strikes or makes
ready, and answers with a byte; then the `cell` runs, if the fault is one.
"""

import atexit
import os
import sys
import types
from typing import Any, Callable, Dict, Tuple


def await_it(moment: Dict[str, Any], descriptor: int) -> None:
    """Have the fault strike when the moment comes, once, in the main thread."""
    os.set_inheritable(descriptor, False)

    def strike() -> None:
        os.write(descriptor, b"i")
        os.read(descriptor, 1)
        if moment["cell"]:
            exec(compile(moment["cell"], "<fault>", "exec", dont_inherit=True), {"__name__": "__fault__"})  # noqa: S102 - it is the fault

    if moment["exiting"]:
        atexit.register(strike)
    wanted: Dict[str, Tuple[str, ...]] = {}
    for end, name in moment["functions"]:
        wanted[name] = (*wanted.get(name, ()), end)
    if wanted:
        sys.setprofile(_watch_for(wanted, strike))


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
