"""The target of the `multiprocess.Process` that becomes a kernel."""

import json
import os
import signal
import sys
from typing import Any, Dict, List, Optional

from . import frames, kernel, proc, process

# What a fork has of its host, and closes.
inherited: List[Any] = []
# Its other end, in the host, reads end of file when this process has died.
_held: List[Any] = []


def become(
    parent: Optional[int], order: Dict[str, Any], environment: Dict[str, str], pipe: Any, handles: List[Any]
) -> None:
    """Tell the host on `pipe` who we are, wait for its word, and serve as a kernel.

    `handles` are Connections of multiprocess, which can pass any descriptor on: stdout, stderr, channel, stacks.
    `parent` is the pid of the host, None when the parent is multiprocess's fork server.
    """
    _held.append(pipe)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for one in inherited:
        one.close()
    pipe.send_bytes(frames.encode({"pid": os.getpid(), "start_time": proc.start_time(os.getpid())}))
    try:
        pipe.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)
    try:
        _take_on(parent, order, environment, handles)
    except BaseException as error:
        os.write(2, ("a kernel of multiprocess could not be set up: %s\n" % error).encode("utf-8", "replace"))
        os._exit(1)
    kernel.serve()


def hear(pipe: Any) -> Dict[str, Any]:
    """In the host: what a new process tells of itself, `pid` and `start_time`."""
    word: Dict[str, Any] = json.loads(pipe.recv_bytes().decode("ascii"))
    return word


def _take_on(parent: Optional[int], order: Dict[str, Any], environment: Dict[str, str], handles: List[Any]) -> None:
    copies = [os.dup(handle.fileno()) for handle in handles]
    for handle in handles:
        handle.close()
    stdout, stderr, channel, stacks = copies
    process.place_descriptors({1: stdout, 2: stderr, kernel.CHANNEL: channel, kernel.STACKS: stacks}, inheritable=False)
    os.setsid()
    process.die_with_parent(os.getppid() if parent is None else parent)
    os.environ.clear()
    os.environ.update(environment)
    temporary = sys.modules.get("tempfile")
    if temporary is not None:
        # What it has made of the host's environment; it is looked for again.
        temporary.__dict__["tempdir"] = None
    # The host's main module, by both of its names: cells get one of their own.
    for name in ("__mp_main__", "multiprocess_main"):
        sys.modules.pop(name, None)
    process.restrict(order)
