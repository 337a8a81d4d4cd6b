"""What a kernel of a Jupyter server or of Spyder is begun with, so that its death can be explained.

Started in the place of `python -m MODULE`, with the descriptors of four files in memory and of a socket:

    python FOLDER witness STACKS CELLS STDOUT STDERR SOCKET KERNEL MODULE ARGUMENTS

faulthandler writes to STACKS; a line of JSON goes to CELLS before and after each cell; the tails of what is printed go
to STDOUT and STDERR, and the read ends of ipykernel's own pipes into SOCKET, since what native code writes last is in
there still when the process dies. The module is an extension of IPython's as well, which sees the cells, and brings the
line magic %last_death. Nothing of it is in the user's namespace; what can't be had is left out.
"""

import faulthandler
import json
import os
import runpy
import socket
import sys
from typing import Any, Dict, List

from . import deaths, tails

_NAME = "_tfkernel_child.witness"
_OPTION = "--ext=" + _NAME
_STREAMS = ("stdout", "stderr")
_MOST_CELL = 4096
_MOST_BYTES = 1 << 20

_state: Dict[str, Any] = {}


def main(arguments: List[str]) -> None:
    """Become the module."""
    *numbers, kernel, module = arguments[:7]
    stacks, cells, stdout, stderr, sent = map(int, numbers)
    try:
        for descriptor in (stacks, cells, stdout, stderr, sent):
            os.set_inheritable(descriptor, False)
        faulthandler.enable(file=stacks, all_threads=True)
        _state.update(stacks=stacks, cells=cells, stdout=stdout, stderr=stderr, sent=sent, kernel=kernel)
        more = [_OPTION]
    except OSError:
        # Whoever started us has lost them, as `conda run` does.
        more = []
    # As `python -m` has it.
    if not sys.flags.isolated and not getattr(sys.flags, "safe_path", False):
        sys.path.insert(0, os.getcwd())
    sys.argv[:] = [module, *arguments[7:], *more]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def load_ipython_extension(shell: Any) -> None:
    """See the cells of a shell."""
    if not _state:
        return
    # For ipykernel, and nobody else.
    sys.argv[:] = [word for word in sys.argv if word != _OPTION]
    # ipykernel may have enabled it for stderr.
    faulthandler.enable(file=_state["stacks"], all_threads=True)
    shell.events.register("pre_run_cell", lambda info: _note_cell(shell, info))
    shell.events.register("post_run_cell", _note_end)
    for name in _STREAMS:
        stream = getattr(sys, name)
        if hasattr(stream, "echo"):
            stream.echo = tails.Tail(_state[name], stream.echo)
    _send_pipes()
    shell.register_magic_function(_last_death, "line", "last_death")


def _note_cell(shell: Any, info: Any) -> None:
    if not getattr(info, "silent", False) and getattr(info, "store_history", True):
        # Those before it, the empty zeroth one included. `execution_count` is that of the next cell in some IPythons.
        number = len(shell.history_manager.input_hist_raw)
        _note({"cell": str(info.raw_cell)[:_MOST_CELL], "number": number})


def _note_end(result: Any) -> None:
    if getattr(getattr(result, "info", None), "store_history", True):
        _note({"ended": True})


def _note(event: Dict[str, Any]) -> None:
    try:
        descriptor = _state["cells"]
        if os.fstat(descriptor).st_size > _MOST_BYTES:
            os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(event).encode("ascii") + b"\n")
    except (OSError, ValueError):
        return


def _send_pipes() -> None:
    """Of streams that ipykernel watches; the copies wait in the socket, and so outlive us."""
    import array

    try:
        with socket.socket(fileno=_state.pop("sent")) as sock:
            for number, name in enumerate(_STREAMS, 1):
                place = "/proc/self/fd/%d" % number
                if hasattr(getattr(sys, name), "_original_stdstream_copy") and os.readlink(place).startswith("pipe:"):
                    copy = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
                    rights = array.array("i", [copy])
                    sock.sendmsg([name[3:4].encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
                    os.close(copy)
    except OSError:
        return


def _last_death(line: str) -> None:
    """Show the last death of this kernel, or of another one of this user: `%last_death`, `%last_death 2`."""
    words = line.split()
    number = int(words[0]) if words and words[0].isdigit() else 1
    found = deaths.records(deaths.folder(os.environ), 100)
    own = [record for record in found if record.get("kernel") == _state["kernel"]]
    if not 1 <= number <= len(own or found):
        sys.stdout.write("no such death is known; `pytest-tfkernel deaths` lists the last 100 of all kernels\n")
        return
    whose = "" if own else "(of another kernel: this one has not died)\n"
    sys.stdout.write("%s%s\n" % (whose, deaths.tell((own or found)[number - 1], whole=False)))
