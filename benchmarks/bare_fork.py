"""`python bare_fork.py`: the least that a killed and replaced process with a Session can cost.

It imports TensorFlow, then answers each line on stdin with the seconds of one round on stdout:

    SIGKILL to the child that is there, waitpid, os.fork, example 1 in the new child,
    which writes its sum to a pipe, 5.0 read from that pipe.

The child lives on until the next round. There is nothing else: no supervisor, no captured output,
no check of anything. The cell comes as the first argument.
"""

import importlib
import os
import signal
import struct
import sys
import time
from typing import Any, Dict  # noqa: UP035 - kernels may be as old as 3.7

_SUM = struct.Struct("d")
_EXPECTED = 5.0


def new_child(cell: str) -> int:
    """Fork; the child's pid, once it has told its sum."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        scope: Dict[str, Any] = {}  # noqa: UP006
        exec(cell, scope)
        os.write(writer, _SUM.pack(scope["total"]))
        while True:
            signal.pause()
    os.close(writer)
    total = _SUM.unpack(os.read(reader, _SUM.size))[0]
    os.close(reader)
    if total != _EXPECTED:
        sys.exit(f"example 1 gave {total!r}")
    return pid


def main() -> None:
    """One round a line, until stdin ends."""
    importlib.import_module("tensorflow")  # the children find it imported
    cell = sys.argv[1]
    child = new_child(cell)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        started = time.monotonic()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        child = new_child(cell)
        sys.stdout.write(f"{time.monotonic() - started!r}\n")
        sys.stdout.flush()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main()
