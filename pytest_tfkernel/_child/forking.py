"""Forks of a process that has imported much and begun nothing: whether one is safe, and how it is made.

Whoever is forked here is forked twice, so that it is re-parented to the supervisor, which is the one that waits for it.
"""

import os
import sys
import threading
import warnings
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Optional, Sequence

from . import imports, proc
from .frames import Message

# Threads that other libraries keep and that a fork does no harm to: they hold no lock of the
# forking thread's and the child does not need them.
HARMLESS_THREADS = frozenset(["tf_graph_runner"])

# By the modules that they leave in each process that they follow.
_DEBUGGERS = {
    "debugpy": "the debugger debugpy, which follows child processes,",
    "pydevd": "the debugger pydevd (PyCharm, VS Code), which follows child processes,",
}
_PRELOAD_LESS = "preload less"
_NO_ROOM = "raise `ulimit -u`, or the pids limit of the container"


class Safety:
    """What a fork would do no harm to, and what it would.

    `check` is source text that binds `reason` to None or to why a fork would not be safe; `trusted` names modules that
    start threads at their import which a fork may lose. `what` has been imported, in the words of a reason.
    """

    def __init__(self, check: str, trusted: Sequence[str], what: str = "the preloaded modules") -> None:
        self._check = check
        self._what = what
        self._threads = _threads()
        self._earlier = _python_threads()
        self._trusted = imports.ThreadsOfImports(trusted, _threads)

    def watch(self) -> imports.ThreadsOfImports:
        """A context in which the modules are imported."""
        return self._trusted

    @property
    def advice(self) -> str:
        """What may help where it isn't safe."""
        return "" if self._earlier else _PRELOAD_LESS

    def unsafe(self) -> Optional[str]:
        """Why a fork would make a kernel that hangs or crashes; None when it is safe."""
        scope: Dict[str, Any] = {"reason": None}
        exec(self._check, scope)  # noqa: S102 - it knows the modules, and we don't
        if scope["reason"] is not None:
            return str(scope["reason"])
        for link in _links("/proc/self/fd"):
            if link.startswith("/dev/nvidia"):
                return "%s hold %s open, and a GPU can't be used across a fork" % (self._what, link)
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
            return "%s started %d Python thread(s) that a fork would lose: %s" % (
                self._what,
                len(python),
                ", ".join(python),
            )
        threads = _threads() - self._threads - self._trusted.threads
        extra = sorted(name for thread, name in threads if name not in HARMLESS_THREADS)
        if extra:
            return "%s started %d thread(s) that a fork would lose: %s" % (
                self._what,
                len(extra),
                ", ".join(extra),
            )
        return None


def fork_twice(descriptors: Sequence[int], become: Callable[[], None]) -> Optional[Message]:
    """Fork a process that is the supervisor's; `descriptors` are meant for it, and closed here.

    In the new process `become` is called when the supervisor has adopted it, and the answer is None. Here it is
    {"kind": "forked", "pid", "start_time"} or {"kind": "refused", "reason", "advice"}.
    """
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
        os.read(go_reader, 1)
        os.close(go_reader)
        become()
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
    # It is the supervisor's child from here on, and may set its parent-death signal.
    os.close(go_writer)
    if not pid:
        return {"kind": "refused", "reason": refusal, "advice": _NO_ROOM}
    return {"kind": "forked", "pid": int(pid), "start_time": start_time}


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
    """All but the first one, which the fork of a fork has under a number of its own."""
    found = set()
    for thread in set(os.listdir("/proc/self/task")) - {str(os.getpid())}:
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
