"""What a kernel of IPython's learns from us, so that values, marks and stacks come as from any other kernel.

A silent cell loads this module under its private package name and calls `install`. It needs the standard library
and the IPython that is there. Nothing of it is in the user's namespace.

The value of a cell travels as one more form of its output, of the type `MIME`: {"value": ...} or
{"not_carried": ...}, see `values`; for a call {"pickled": ...}. A mark is a line of JSON on the descriptor that
`install` is given: {"name": ..., "id": ...}.
"""

import faulthandler
import json
import os
import sys
from typing import Any, Callable, Dict, List

from . import calls, kernel, process

MIME = "application/vnd.tfkernel.value+json"

_state = {}  # type: Dict[str, Any]


class Formatter:
    """What IPython calls to make a form of an output."""

    enabled = True

    def __call__(self, value: Any) -> Dict[str, Any]:
        """The value in our form."""
        return value.answer if isinstance(value, Pickled) else kernel.carried(value)


class Pickled:
    """The result of a call, which has no other form."""

    def __init__(self, answer: Dict[str, Any]) -> None:
        self.answer = answer

    def __repr__(self) -> str:
        return "<the result of a call>"


def install(shell: Any, stacks: int, marks: int, sys_path: List[str]) -> None:
    """Teach the shell our form of values; have faulthandler write to the descriptor `stacks`."""
    for descriptor in (stacks, marks):
        os.set_inheritable(descriptor, False)
    faulthandler.enable(file=stacks, all_threads=True)
    faulthandler.register(process.DUMP_SIGNAL, file=stacks, all_threads=True, chain=False)
    sys.path[:0] = [folder for folder in sys_path if folder not in sys.path]
    shell.display_formatter.formatters[MIME] = Formatter()
    _state.update(shell=shell, marks=marks)


def allow_marks(number: int) -> None:
    """Give the next cell its `_tfkernel_mark(name)`; the marks carry the number of its request."""
    _state["shell"].user_ns["_tfkernel_mark"] = _marker(number)
    _state["shell"].user_ns_hidden["_tfkernel_mark"] = None


def call(payload: str, cloudpickle: str) -> Pickled:
    """Call a pickled function; see `calls`."""
    return Pickled(calls.run({"payload": payload, "cloudpickle": cloudpickle}))


def _marker(number: int) -> Callable[[str], None]:
    def mark(name: str) -> None:
        os.write(_state["marks"], json.dumps({"name": name, "id": number}).encode("ascii") + b"\n")

    return mark
