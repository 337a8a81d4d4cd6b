"""Workers of pytest-xdist that are forked before their pytest begins, from a process that has imported it.

They are children of that pytest, as those that it starts are, and have nothing of it: it hasn't begun. One that isn't asked
for ends with it.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

# More of them are started as usual.
_MOST = 4
_NUMBER = re.compile(r"(?:-n|--numprocesses)[= ]?(\d+)|--tx[= ](\d+)\*popen")


def asked_for(arguments: list[str]) -> int:
    """How many workers such a command line wants."""
    pairs = [*arguments, *map(" ".join, itertools.pairwise(arguments))]
    found = [match for match in map(_NUMBER.fullmatch, pairs) if match]
    return min(int(found[-1][1] or found[-1][2]), _MOST) if found else 0


class Forked:
    """One of them, as far as execnet asks a Popen."""

    def __init__(self, work: Callable[[str], object], others: list[Forked]) -> None:
        (in_reader, in_writer), (out_reader, out_writer) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            for other in others:
                other.stdin.close()
                other.stdout.close()
            os.close(in_writer)
            os.close(out_reader)
            _take(in_reader, out_writer, work)
        os.close(in_reader)
        os.close(out_writer)
        self.stdin: IO[bytes] = os.fdopen(in_writer, "wb")
        self.stdout: IO[bytes] = os.fdopen(out_reader, "rb")
        self._status: int | None = None

    def begin(self, *, writes_bytecode: bool) -> None:
        """It is a process that begins now."""
        order = {"environment": dict(os.environ), "folder": str(Path.cwd()), "writes_bytecode": writes_bytecode}
        self.stdin.write(json.dumps(order).encode() + b"\n")
        self.stdin.flush()

    def wait(self) -> int:
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._status

    def kill(self) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)


def prepare(number: int, work: Callable[[str], object]) -> None:
    """Fork so many; execnet gets them in the place of the first that it starts. `work` runs what execnet tells one."""
    if not number or importlib.util.find_spec("execnet") is None:
        return
    from execnet import gateway_io

    forked: list[Forked] = []
    for _ in range(number):
        forked.append(Forked(work, forked))
    waiting: Iterator[Forked] = iter(forked)
    original = gateway_io.Popen2IOMaster.__init__
    ordinary = [sys.executable, "-u", "-c", gateway_io.popen_bootstrapline]

    def begin(self: Any, args: list[str], execmodel: Any) -> None:
        found = next(waiting, None) if [word for word in args if word != "-B"] == ordinary else None
        if found is None:
            original(self, args, execmodel)
            return
        found.begin(writes_bytecode="-B" not in args and not os.environ.get("PYTHONDONTWRITEBYTECODE"))
        self.popen = found
        super(gateway_io.Popen2IOMaster, self).__init__(found.stdin, found.stdout, execmodel=execmodel)

    gateway_io.Popen2IOMaster.__init__ = begin  # type: ignore[method-assign]


def _take(reader: int, writer: int, work: Callable[[str], object]) -> None:
    """In the child: be what `python -u -c` with the line of execnet is."""
    for number, descriptor in ((0, reader), (1, writer)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(0)
        line += byte
    order = json.loads(line)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.dont_write_bytecode = not order["writes_bytecode"]
    sys.argv, sys.path[0:0] = ["-c"], [""]
    sys.stdin = sys.__stdin__ = os.fdopen(0, encoding="utf-8", closefd=False)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]
    work(eval(sys.stdin.readline()))
    os._exit(0)
