"""What a kernel of IPython's learns from us, so that values, marks and stacks come as from any other kernel.

A silent cell loads this module under its private package name and calls `install`. It needs the standard library
and the IPython that is there. Nothing of it is in the user's namespace.

The value of a cell travels as one more form of its output, of the type `MIME`: the text of {"value": ...} or
{"not_carried": ...}, see `values`. It is ASCII, since Jupyter's own JSON can't carry a lone surrogate. What a call
returns is published as `CALL_MIME`, the text of {"pickled": ...}, and so is not among the outputs. A mark is a line
of JSON on the descriptor that `install` is given: {"name": ..., "id": ...}.
"""

import faulthandler
import json
import os
import sys
from typing import Any, Callable, Dict, List

from . import calls, kernel, process

MIME = "application/vnd.tfkernel.value+json"
CALL_MIME = "application/vnd.tfkernel.call+json"

_state: Dict[str, Any] = {}
# A cell may replace it.
_dumps = json.dumps


def _formatter(shell: Any) -> Any:
    """What IPython calls to make a form of an output. It is one as IPython's own are: libraries change all of them."""
    base: Any = sys.modules["IPython.core.formatters"].BaseFormatter

    class Formatter(base):  # type: ignore[misc]  # known at run time
        def __call__(self, value: Any) -> str:
            """The value in our form, whatever is enabled."""
            return _dumps(kernel.carried(value))

    return Formatter(parent=shell.display_formatter)


def install(shell: Any, stacks: int, marks: int, sys_path: List[str]) -> None:
    """Teach the shell our form of values; have faulthandler write to the descriptor `stacks`."""
    for descriptor in (stacks, marks):
        os.set_inheritable(descriptor, False)
    faulthandler.enable(file=stacks, all_threads=True)
    faulthandler.register(process.DUMP_SIGNAL, file=stacks, all_threads=True, chain=False)
    sys.path[:0] = [folder for folder in sys_path if folder not in sys.path]
    shell.display_formatter.formatters[MIME] = _formatter(shell)
    # Not in `sys.modules` alone, from which a cell may take it.
    shell._tfkernel = sys.modules[__name__]  # noqa: SLF001 - nobody else has that name
    _state.update(shell=shell, marks=marks)


def allow_marks(number: int) -> None:
    """Give the next cell its `_tfkernel_mark(name)`; the marks carry the number of its request."""
    _state["shell"].user_ns["_tfkernel_mark"] = _marker(number)


def take_argv(words: List[str]) -> None:
    """Let cells find these words, in the place of those with which IPython has begun."""
    sys.argv[:] = words


def call(payload: str, cloudpickle: str) -> None:
    """Call a pickled function; see `calls`."""
    result = calls.run({"payload": payload, "cloudpickle": cloudpickle})
    _state["shell"].display_pub.publish({CALL_MIME: _dumps(result)})


def _marker(number: int) -> Callable[[str], None]:
    def mark(name: str) -> None:
        os.write(_state["marks"], _dumps({"name": name, "id": number}).encode("ascii") + b"\n")

    return mark
