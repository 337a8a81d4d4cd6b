"""A fork server: imports what is slow to import, once, and forks kernels from there.

Started as `python -u FOLDER forkserver` with its channel at descriptor 3. It answers two requests; each has an `id`,
and so has its answer:

    {"kind": "preload", "modules": [...], "trusted": [...], "check": "...", "sys_path": [...]}
        {"kind": "ready"} or {"kind": "failed", "error": {"type", "message", "traceback"}}
    {"kind": "fork", "order": {...}, "descriptors": 4}   with stdout, stderr, channel, stacks
        {"kind": "forked", "pid": ..., "start_time": ...} or {"kind": "refused", "reason": "...", "advice": "..."}

`trusted` names modules that start threads at their import which a fork may lose. `check` is source
text that binds `reason` to None or to why a fork would not be safe. What both know of the preloaded
modules is the sender's affair. A kernel is forked twice, so that it is re-parented to the supervisor,
which is the one that waits for it.
"""

import faulthandler
import gc
import importlib
import os
import random
import sys
import threading
import warnings
from typing import Any, Dict, FrozenSet, Iterator, List, Optional, Tuple

from . import frames, imports, kernel, proc, process
from .frames import Message

CHANNEL = 3

# Where tempfile looks for the temporary folder, once in the life of a process.
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")

# Threads that other libraries keep and that a fork does no harm to: they hold no lock of the
# forking thread's and the child does not need them.
HARMLESS_THREADS = frozenset(["tf_graph_runner"])

# By the modules that they leave in each process that they follow.
_DEBUGGERS = {
    "debugpy": "the debugger debugpy, which follows child processes,",
    "pydevd": "the debugger pydevd (PyCharm, VS Code), which follows child processes,",
}
_PRELOAD_LESS = "preload less"


def main(_: List[str]) -> None:
    """Answer requests until the channel closes."""
    os.set_inheritable(CHANNEL, False)
    port = frames.Port(CHANNEL)
    # The stack of an import that crashes is among its last words. A kernel has a file of its own for that.
    faulthandler.enable(file=2, all_threads=True)
    server = ForkServer(port, supervisor=os.getppid())
    while True:
        try:
            request, descriptors = port.receive_with_descriptors()
        except (EOFError, OSError):
            return
        if request["kind"] == "preload":
            port.send(dict(server.preload(request), id=request["id"]))
            continue
        answer = server.fork(request["order"], descriptors)
        if answer is None:
            break
        port.send(dict(answer, id=request["id"]))
    kernel.serve()


class ForkServer:
    """The preloaded state, and how a kernel is forked from it."""

    def __init__(self, port: frames.Port, supervisor: int) -> None:
        self._port = port
        self._supervisor = supervisor
        self._check = ""
        self._threads: FrozenSet[imports.Thread] = frozenset()
        self._earlier: List[str] = []
        self._set_by_import: Dict[str, Tuple[Optional[str], Optional[str]]] = {}

    def preload(self, request: Message) -> Message:
        """Import the modules; the threads that come with the trusted ones may be lost by a fork."""
        sys.path[:0] = request["sys_path"]
        self._check = request["check"]
        self._threads = _threads()
        self._earlier = _python_threads()
        trusted = imports.ThreadsOfImports(request["trusted"], _threads)
        before = dict(os.environ)
        try:
            with trusted:
                for name in request["modules"]:
                    importlib.import_module(name)
        except BaseException as error:
            return {"kind": "failed", "error": kernel.describe(error)}
        self._threads |= trusted.threads
        pairs = {name: (before.get(name), os.environ.get(name)) for name in {*before, *os.environ}}
        self._set_by_import = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        # Collected now and never looked at again: kernels share these pages with us.
        gc.collect()
        freeze = getattr(gc, "freeze", None)  # from Python 3.7 on
        if freeze is not None:
            freeze()
        return {"kind": "ready"}

    def fork(self, order: Dict[str, Any], descriptors: List[int]) -> Optional[Message]:
        """Fork one kernel; `descriptors` are its stdout, stderr, channel and file for stacks.

        The answer is None in the new process, whose caller then serves as a kernel.
        """
        reason = self.unsafe()
        if reason is not None:
            for descriptor in descriptors:
                os.close(descriptor)
            return {"kind": "refused", "reason": reason, "advice": "" if self._earlier else _PRELOAD_LESS}
        pid_reader, pid_writer = os.pipe()
        go_reader, go_writer = os.pipe()
        try:
            middle = _fork()
        except OSError as error:
            middle = None
            refusal = "the fork failed: %s" % error
        if middle == 0:
            _fork_again(pid_writer)
            for descriptor in (pid_reader, pid_writer, go_writer):
                os.close(descriptor)
            self._become_kernel(order, descriptors, go_reader)
            return None
        for descriptor in [*descriptors, pid_writer, go_reader]:
            os.close(descriptor)
        with os.fdopen(pid_reader) as file:
            pid = file.read()
        if middle is not None:
            os.waitpid(middle, 0)
            refusal = "the second fork failed: no process could be made"
        # It waits for us to close `go_writer`, so it is alive and has a start time.
        start_time = proc.start_time(int(pid)) if pid else None
        # The kernel is the supervisor's child from here on, and may set its parent-death signal.
        os.close(go_writer)
        if not pid:
            return {"kind": "refused", "reason": refusal, "advice": ""}
        return {"kind": "forked", "pid": int(pid), "start_time": start_time}

    def unsafe(self) -> Optional[str]:
        """Why a fork would make a kernel that hangs or crashes; None when it is safe."""
        scope: Dict[str, Any] = {"reason": None}
        exec(self._check, scope)  # noqa: S102 - it knows the modules, and we don't
        if scope["reason"] is not None:
            return str(scope["reason"])
        for link in _links("/proc/self/fd"):
            if link.startswith("/dev/nvidia"):
                return "the preloaded modules hold %s open, and a GPU can't be used across a fork" % link
        # Those of Python are somebody's own, also if they came with the first module.
        if self._earlier:
            return (
                "%s had started %d Python thread(s) before anything was preloaded, and a fork would lose them: %s"
                % (
                    _debugger() or "a sitecustomize, a .pth file or a debugger",
                    len(self._earlier),
                    ", ".join(self._earlier),
                )
            )
        python = _python_threads()
        if python:
            return "the preloaded modules started %d Python thread(s) that a fork would lose: %s" % (
                len(python),
                ", ".join(python),
            )
        extra = sorted(name for thread, name in _threads() - self._threads if name not in HARMLESS_THREADS)
        if extra:
            return "the preloaded modules started %d thread(s) that a fork would lose: %s" % (
                len(extra),
                ", ".join(extra),
            )
        return None

    def _become_kernel(self, order: Dict[str, Any], descriptors: List[int], go_reader: int) -> None:
        """In the second child, from the moment on that the supervisor has adopted it."""
        os.read(go_reader, 1)
        os.close(go_reader)
        self._port.close()
        try:
            os.setsid()
            process.die_with_parent(self._supervisor)
            stdout, stderr, channel, stacks = descriptors
            process.place_descriptors(
                {1: stdout, 2: stderr, kernel.CHANNEL: channel, kernel.STACKS: stacks}, inheritable=False
            )
            self._take_on(order["environment"])
            process.restrict(order)
            _reseed()
        except BaseException as error:
            os.write(2, ("a forked kernel could not be set up: %s\n" % error).encode("utf-8", "replace"))
            os._exit(1)

    def _take_on(self, environment: Dict[str, str]) -> None:
        """Set the environment, and in it what the import would have set: TensorFlow tells its children so."""
        temporary = sys.modules.get("tempfile")
        if temporary is not None and any(os.environ.get(name) != environment.get(name) for name in _TEMPORARY):
            # What the import has made of ours; it is looked for again.
            temporary.__dict__["tempdir"] = None
        os.environ.clear()
        os.environ.update(environment)
        for name, (before, after) in self._set_by_import.items():
            # One that the import didn't find like this is the user's own choice.
            if os.environ.get(name) != before:
                continue
            if after is None:
                del os.environ[name]
            else:
                os.environ[name] = after


def _fork_again(pid_writer: int) -> None:
    """In the first child: returns in the second one, whose pid the first one tells before it ends."""
    try:
        pid = _fork()
        if pid == 0:
            return
        os.write(pid_writer, str(pid).encode())
        os._exit(0)
    except BaseException:
        os._exit(1)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns of any thread at all; `unsafe` has looked at which ones there are.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _reseed() -> None:
    """Fresh random state: forks of one process would all draw the same numbers."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _python_threads() -> List[str]:
    """The names of all but this one."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    running = sys._current_frames()  # noqa: SLF001 - the documented way to all of them
    return sorted(names.get(ident, "unnamed") for ident in running if ident != threading.get_ident())


def _debugger() -> Optional[str]:
    """The one that follows child processes, as people know it."""
    for module, name in _DEBUGGERS.items():
        if module in sys.modules:
            return name
    return None


def _threads() -> FrozenSet[imports.Thread]:
    found = set()
    for thread in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/comm" % thread) as file:
                found.add((thread, file.read().strip()))
        except OSError:
            continue  # it has ended since
    return frozenset(found)


def _links(folder: str) -> Iterator[str]:
    for name in os.listdir(folder):
        try:
            yield os.readlink(os.path.join(folder, name))
        except OSError:
            continue  # the descriptor of the listing itself
