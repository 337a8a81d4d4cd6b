"""A kernel: runs cells that come over its channel, one reply each, in a namespace that stays.

Started as `python -u FOLDER kernel` with the channel at descriptor 3 and the file for stacks at 4,
or entered by the fork server through `serve`. The first message is the kernel's own:

    {"kind": "hello", "pid": ..., "start_time": ..., "version": [3, 11, 7], "executable": "..."}

then it answers each request, in order; each has an `id` too, and so has its answer:

    {"kind": "configure", "sys_path": [...]}                        {"kind": "configured"}
    {"kind": "execute", "cell": "...", "interactive": true}         {"kind": "reply", ...}
    {"kind": "execute", ..., "marks": true}                         marks, and then the reply
    {"kind": "call", "payload": "base64", "cloudpickle": "folder"}  {"kind": "reply", ...}
    {"kind": "script", ..., "descriptors": 3 or 4}                  nothing: it ends as a script does, see `script`
    {"kind": "shutdown"}                                            nothing: it exits with 0

A cell with marks may call `_tfkernel_mark(name)`, from any thread and also after its reply: each call
sends {"kind": "mark", "name": name}. A reply has `ok`, `seconds`, `error` (null, or `type`, `message`,
`traceback`), and one of `value` (see `values`), `not_carried` (why there is no value) and `pickled`
(base64, for a call). An error ends an interactive cell; one that isn't interactive it ends as it ends a
script.
"""

import ast
import faulthandler
import linecache
import os
import posix
import signal
import sys
import traceback
import types
from typing import Any, Callable, Dict, List, Optional, Sequence

from . import calls, frames, originals, proc, process, script, uncaught, values
from .frames import Message

CHANNEL = 3
STACKS = 4
# The exit code of a kernel that can't send its reply; EX_IOERR of sysexits.h.
CHANNEL_LOST = 74
# A cell may replace it.
_set_handler = signal.signal
_MAX_TEXT = 64 * 1024
_KEPT_SOURCES = 100


def main(_: List[str]) -> None:
    """Entry of a kernel that has an interpreter of its own."""
    serve()


def serve() -> None:
    """Run cells until the channel closes. Returns to end the process in the ordinary way."""
    for descriptor in (CHANNEL, STACKS):
        os.set_inheritable(descriptor, False)
    faulthandler.enable(file=STACKS, all_threads=True)
    faulthandler.register(process.DUMP_SIGNAL, file=STACKS, all_threads=True, chain=False)
    # Between cells an interrupt means nothing.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # No object owns descriptor 3: the channel closes with the process. What TensorFlow does after the
    # end of the interpreter, long on a busy machine, would otherwise look like a kernel that cut itself off.
    port = frames.Port(os.dup(CHANNEL))
    session = Session(port)
    port.send(hello())
    while True:
        try:
            request, descriptors = port.receive_with_descriptors()
        except (EOFError, OSError):
            return
        if request["kind"] == "shutdown":
            return
        answer = dict(session.answer(request, descriptors), id=request["id"])
        if posix.getpid() != session.pid:
            # A child that a cell forked and didn't end: it ends here, and has no say on the channel.
            return
        try:
            port.send(answer)
        except OSError:
            # Nobody can hear it any more. Its stderr may be closed as well, so the code says it.
            sys.exit(CHANNEL_LOST)


def hello() -> Message:
    """What a new kernel says of itself."""
    return {
        "kind": "hello",
        "pid": os.getpid(),
        "start_time": proc.start_time(os.getpid()),
        "version": list(sys.version_info[:3]),
        "executable": sys.executable,
    }


class Session:
    """The namespace of the cells, which is the module `__main__`, and how requests are answered."""

    def __init__(self, port: frames.Port) -> None:
        self._port = port
        self._main = types.ModuleType("__main__")
        sys.modules["__main__"] = self._main
        self.pid = posix.getpid()
        self._cells = 0

    def answer(self, request: Message, descriptors: Sequence[int] = ()) -> Message:
        """The reply to one request. A script ends the process instead."""
        if request["kind"] == "configure":
            sys.path[:0] = [folder for folder in request["sys_path"] if folder not in sys.path]
            return {"kind": "configured"}
        if request["kind"] == "call":
            return self._guard(lambda: calls.run(request), interactive=True)
        if request["kind"] == "script":
            script.run(request, self._main, descriptors)
        cell = request["cell"]
        if request.get("marks"):
            number = request["id"]
            self._main.__dict__["_tfkernel_mark"] = lambda name: self._mark(name, number)
        return self._guard(lambda: self._run(cell), interactive=request["interactive"])

    def _mark(self, name: str, number: int) -> None:
        self._port.send({"kind": "mark", "name": name, "id": number})

    def _run(self, cell: str) -> Dict[str, Any]:
        """Run a cell; its value is that of its last expression."""
        self._cells += 1
        filename = "<cell %d>" % self._cells
        # A modification time of None tells linecache that there is no file to compare with.
        linecache.cache[filename] = (len(cell), None, cell.splitlines(True), filename)
        linecache.cache.pop("<cell %d>" % (self._cells - _KEPT_SOURCES), None)
        tree = ast.parse(cell, filename)
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):
            tree.body.pop()
        exec(compile(tree, filename, "exec", dont_inherit=True), self._main.__dict__)  # noqa: S102 - what we are for
        if not isinstance(last, ast.Expr):
            return {"value": None}
        code = compile(ast.Expression(last.value), filename, "eval", dont_inherit=True)
        return carried(eval(code, self._main.__dict__))  # noqa: S307 - what we are for

    def _guard(self, run: Callable[[], Dict[str, Any]], *, interactive: bool) -> Message:
        started = originals.monotonic()
        error: Optional[BaseException] = None
        answer: Dict[str, Any] = {"value": None}
        try:
            try:
                _set_handler(signal.SIGINT, signal.default_int_handler)
                answer = run()
            finally:
                _set_handler(signal.SIGINT, signal.SIG_IGN)
        except SystemExit:
            raise
        except BaseException as raised:
            error = raised
        seconds = originals.monotonic() - started
        if error is not None and (not interactive or posix.getpid() != self.pid):
            self._end_as_script(error)
        _flush()
        reply: Message = {"kind": "reply", "ok": error is None, "seconds": seconds, "error": None}
        reply.update(answer if error is None else {"value": None, "error": describe(error)})
        return reply

    def _end_as_script(self, error: BaseException) -> None:
        uncaught.show(error)
        sys.exit(1)


def carried(value: Any) -> Dict[str, Any]:
    """`value` or `not_carried`, whichever a value allows."""
    try:
        encoded = values.encode(value)
        size = len(frames.encode({"value": encoded}))
    except values.NotCarriedError as error:
        return {"not_carried": "the value can't be carried: %s" % error}
    if size > frames.MAX_FRAME // 2:
        return {"not_carried": "the value can't be carried: it is %d bytes of JSON; end the cell with a summary" % size}
    return {"value": encoded}


def describe(error: BaseException) -> Dict[str, str]:
    """An exception as plain data, its traceback without our own frames."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__qualname__)
    try:
        message = str(error)
    except Exception:
        message = "(its message could not be made)"
    try:
        lines = "".join(traceback.format_exception(kind, error, uncaught.own_frames(error)))
    except Exception:
        lines = "(its traceback could not be made)"
    return {"type": name, "message": message[:_MAX_TEXT], "traceback": lines[-_MAX_TEXT:]}


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S112 - a cell may have closed or replaced it, which is its own affair
            continue
