"""What a kernel of a Jupyter server or of Spyder is begun with, so that its death can be explained.

Started in the place of `python -m MODULE`, with the descriptors of four files in memory and of a socket:

    python FOLDER witness STACKS CELLS STDOUT STDERR SOCKET KERNEL MODULE ARGUMENTS

faulthandler writes to STACKS; a line of JSON goes to CELLS before and after each cell; the tails of what is printed
go to STDOUT and STDERR. Into SOCKET go the read ends of ipykernel's own pipes, since what native code writes last is
in there still when the process dies, and the file in which somebody else wants the stacks. The module is an extension
of IPython's as well, which sees the cells, and brings the line magic %last_death. Nothing of it is in the user's
namespace; what can't be had is left out.
"""

import array
import faulthandler
import json
import os
import runpy
import socket
import stat
import sys
from typing import Any, Callable, Dict, List

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
        _state.update(stacks=stacks, cells=cells, stdout=stdout, stderr=stderr, kernel=kernel)
        _state["socket"] = socket.socket(fileno=sent)
        # One that is full is nothing to wait for.
        _state["socket"].setblocking(False)
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
    _follow_faulthandler()
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
    for number, name in enumerate(_STREAMS, 1):
        if hasattr(getattr(sys, name), "_original_stdstream_copy"):
            _send(name[3:4], number, stat.S_ISFIFO)


def _send(tag: str, number: int, is_wanted: Callable[[int], bool]) -> None:
    """Send a copy of a descriptor to read from, if it is one of the kind that is wanted."""
    try:
        if not is_wanted(os.fstat(number).st_mode):
            return
        copy = os.open("/proc/self/fd/%d" % number, os.O_RDONLY | os.O_NONBLOCK)
        try:
            rights = array.array("i", [copy])
            _state["socket"].sendmsg([tag.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        finally:
            os.close(copy)
    except OSError:
        return


def _follow_faulthandler() -> None:
    """Know where stacks go from now on: Spyder has a file of its own for them."""
    enable = faulthandler.enable

    def enable_and_tell(*args: Any, **kwargs: Any) -> Any:
        done = enable(*args, **kwargs)
        file: Any = kwargs.get("file", args[0] if args else None)
        try:
            number = file if isinstance(file, int) else file.fileno()
        except Exception:
            return done
        _send("f", number, stat.S_ISREG)
        return done

    faulthandler.__dict__["enable"] = enable_and_tell


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
