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
import importlib
import os
import random
import sys
from typing import Any, Dict, List, Optional, Tuple

from . import forking, frames, garbage, kernel, process
from .frames import Message

CHANNEL = 3

# Where tempfile looks for the temporary folder, once in the life of a process.
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")


def main(_: List[str]) -> None:
    """Answer requests until the channel closes."""
    os.set_inheritable(CHANNEL, False)
    port = frames.Port(CHANNEL)
    # The stack of an import that crashes is among its last words. A kernel has a file of its own for that.
    faulthandler.enable(file=2, all_threads=True)
    server = Preloaded(port, supervisor=os.getppid())
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


class Preloaded:
    """The preloaded state, and how a kernel is forked from it."""

    def __init__(self, port: frames.Port, supervisor: int) -> None:
        self._port = port
        self._supervisor = supervisor
        self._safety = forking.Safety("", [])
        self._set_by_import: Dict[str, Tuple[Optional[str], Optional[str]]] = {}

    def preload(self, request: Message) -> Message:
        """Import the modules; the threads that come with the trusted ones may be lost by a fork."""
        sys.path[:0] = request["sys_path"]
        self._safety = forking.Safety(request["check"], request["trusted"])
        before = dict(os.environ)
        try:
            with self._safety.watch(), garbage.uncollected():
                for name in request["modules"]:
                    importlib.import_module(name)
        except BaseException as error:
            return {"kind": "failed", "error": kernel.describe(error)}
        pairs = {name: (before.get(name), os.environ.get(name)) for name in {*before, *os.environ}}
        self._set_by_import = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        garbage.freeze()
        return {"kind": "ready"}

    def fork(self, order: Dict[str, Any], descriptors: List[int]) -> Optional[Message]:
        """Fork one kernel; `descriptors` are its stdout, stderr, channel and file for stacks.

        The answer is None in the new process, whose caller then serves as a kernel.
        """
        reason = self._safety.unsafe()
        if reason is not None:
            for descriptor in descriptors:
                os.close(descriptor)
            return {"kind": "refused", "reason": reason, "advice": self._safety.advice}
        return forking.fork_twice(descriptors, lambda: self._become_kernel(order, descriptors))

    def _become_kernel(self, order: Dict[str, Any], descriptors: List[int]) -> None:
        """In the second child, from the moment on that the supervisor has adopted it."""
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


def _reseed() -> None:
    """Fresh random state: forks of one process would all draw the same numbers."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
