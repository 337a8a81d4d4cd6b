"""Light kernels with accounts of what they hold, and others that hold something."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.audit.ledger import Ledger
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.resources import Audit, Kind, Leak

NOBODY = 65534

# For cells. A child does its work and is then there, whatever becomes of its parent; its value is its pid.
CHILD = """
import os, signal

def child(work, *arguments):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            work(*arguments)
            os.write(writer, b"done")
            os.close(writer)
            wait()
        finally:
            os._exit(1)
    os.close(writer)
    # Not to the end of the file: children of children have the pipe, too.
    assert os.read(reader, 4) == b"done"
    os.close(reader)
    return pid

def wait():
    while True:
        signal.pause()

# Ends the first thread of this process, while another one runs on.
def end_first_thread():
    import ctypes, threading
    libc = ctypes.CDLL(None)
    threading.Thread(target=libc.pause, daemon=True).start()
    libc.pthread_exit(None)
"""
# The same for a process that can say no more after that.
LEADERLESS = f"""{CHILD}
def leaderless(work):
    global wait
    wait = end_first_thread
    pid = child(work)
    while open(f"/proc/{{pid}}/stat", "rb").read().rpartition(b")")[2].split()[0] != b"Z":
        pass
    return pid
"""


@dataclass(frozen=True)
class Account:
    """A kernel and its ledger."""

    kernel: Kernel
    ledger: Ledger

    def run(self, cell: str, name: str = "a cell") -> Any:
        """The value of a cell, after which it is looked at what is held."""
        value = self.do(cell)
        self.ledger.note(name)
        return value

    def do(self, cell: str) -> Any:
        """The value of a cell, after which nobody looks."""
        reply = self.kernel.execute(cell)
        assert reply.error is None, reply.error.traceback
        return reply.value

    def die(self, seconds: float = 0.0) -> Audit:
        """What is left after a SIGKILL; `seconds` to settle."""
        assert self.kernel.inject("sigkill").post_mortem is not None
        return self.ledger.audit(seconds)

    def leaks(self, *kinds: Kind, seconds: float = 0.0) -> list[Leak]:
        """Those of some kinds after a SIGKILL; nothing was hidden."""
        audit = self.die(seconds)
        assert audit.blind == ()
        return [leak for leak in audit.leaks if leak.resource.kind in kinds]


@dataclass(frozen=True)
class Holding:
    """A process that holds a context on a GPU."""

    pid: int
    await_death: Callable[[int], None]

    def die(self) -> None:
        """Kill it, and wait until it is dead."""
        os.kill(self.pid, signal.SIGKILL)
        self.await_death(self.pid)


def as_nobody(look: Callable[[], Any]) -> Any:
    """What a function finds in a fork of this process that belongs to another user, as JSON carries it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            try:
                found = {"found": look()}
            except Exception as error:  # noqa: BLE001 - it is shown by the test
                found = {"error": repr(error)}
            with os.fdopen(writer, "w", encoding="utf-8") as file:
                json.dump(found, file)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        answer = json.load(file)
    os.waitpid(pid, 0)
    assert "found" in answer, answer
    return answer["found"]
