"""A script in a kernel's process: it finds what `python FILE` would give it, and ends the process as it does there.

The request comes once, and is not answered:

    {"kind": "script", "path", "argv": [...], "moment": null or see `moments`, "descriptors": 3 or 4}

with stdin, stdout, stderr, and the socket of the moment if there is one.
"""

import atexit
import os
import signal
import sys
import types
from importlib.machinery import SourceFileLoader
from typing import Any, Dict, NoReturn, Sequence

from . import moments, uncaught

_state = {"interrupted": False}
# A script may replace them.
_set_handler, _default = signal.signal, signal.default_int_handler


def run(request: Dict[str, Any], main: types.ModuleType, descriptors: Sequence[int]) -> NoReturn:
    """Run it to its end. What it has raised was shown, and SystemExit ends the process."""
    for target, source in enumerate(descriptors[:3]):
        os.dup2(source, target)
        os.close(source)
    _take_stdin()
    _dress(request, main)
    # Registered first, and so called last.
    atexit.register(_die_if_interrupted)
    _set_handler(signal.SIGINT, _default)
    try:
        if request["moment"] is not None:
            moments.await_it(request["moment"], descriptors[3])
        with open(request["path"], "rb") as file:
            source_text = file.read()
        exec(compile(source_text, main.__dict__["__file__"], "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - what we are for
    except SystemExit:
        raise
    except BaseException as error:
        _state["interrupted"] = isinstance(error, KeyboardInterrupt)
        uncaught.show(error)
        sys.exit(1)
    sys.exit(0)


def _take_stdin() -> None:
    """Read from the descriptor: a process of multiprocess has its stdin elsewhere."""
    try:
        if sys.stdin.fileno() == 0:
            return
    except (AttributeError, OSError, ValueError):
        pass
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as long as the script lives


def _dress(request: Dict[str, Any], main: types.ModuleType) -> None:
    """Give argv, the search path and the main module what the interpreter gives them."""
    path = request["path"]
    sys.argv[:] = request["argv"]
    # `python -P`, of Python 3.11.
    if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
        sys.path.insert(0, os.path.dirname(os.path.realpath(path)))
    # Absolute since Python 3.9.
    main.__dict__["__file__"] = os.path.join(os.getcwd(), path) if sys.version_info >= (3, 9) else path
    main.__dict__["__loader__"] = SourceFileLoader("__main__", path)
    main.__dict__.update(__cached__=None, __annotations__={})


def _die_if_interrupted() -> None:
    """As the interpreter does it: whoever waits is to see that SIGINT has ended this."""
    if not _state["interrupted"]:
        return
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112 - it may be closed
            continue
    _set_handler(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
