"""SIGINT while an op runs in native code: in the first Session.run of a process, and in a later one."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import KernelDied
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.trials.cells import CellFailedError, value
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "interrupt-is-heard"
HEARD, SWALLOWED = "heard", "swallowed"

_PID = "import os\nos.getpid()"

# A thread looks at the main one's Python frames: once the last of them is the one that calls into native code, the
# session runs. Its op waits in native code, and goes on when the interrupt has come, to whichever thread: Python's own
# handler is told in the main one, later. An op that calls back into Python would do too, but then nothing is swallowed.
# It gives up after 30 s.
_CELL = """\
def _tfkernel_scenario():
    import signal, socket, sys, threading
    import tensorflow as tf
    main = threading.main_thread().ident
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    reader.settimeout(30.0)
    def watch():
        while sys._current_frames()[main].f_code.co_name != "_call_tf_sessionrun":
            pass
        _tfkernel_mark("in")
        try:
            reader.recv(1)
            _tfkernel_mark("struck")
        except socket.timeout:
            pass
        session.run(put)
    watching = threading.Thread(target=watch, daemon=True)
    before = signal.set_wakeup_fd(writer.fileno())
    try:
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            queue = tf.queue.FIFOQueue(1, [tf.float32], [[]])
            put, taken = queue.enqueue(1.0), queue.dequeue()
            watching.start()
            try:
                session.run(taken)
            finally:
                watching.join()
    finally:
        signal.set_wakeup_fd(before)
_tfkernel_scenario()
"""


@dataclass(frozen=True, kw_only=True)
class Interrupt:
    """What it came to (heard, swallowed, or another error), and whether it `struck` while the session ran."""

    outcome: str
    struck: bool


@dataclass(frozen=True, kw_only=True)
class Interrupts:
    """Two of them, and the `pids` before and after."""

    pids: list[int] = UNSEEN
    first: Interrupt = UNSEEN
    second: Interrupt = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Interrupts]:
    """Interrupt two runs of a session, one after the other."""
    notes = Recorder(Interrupts)

    def script(start: Starts) -> None:
        kernel = start()
        before = value(kernel, _PID)
        notes.note(pids=[before])
        notes.note(first=_interrupt(kernel))
        notes.note(second=_interrupt(kernel))
        notes.note(pids=[before, value(kernel, _PID)])

    return perform(setting, stage, spec, notes, script)


def _interrupt(kernel: Kernel) -> Interrupt:
    seen: list[str] = []

    def on_mark(name: str) -> None:
        seen.append(name)
        if name == "in":
            kernel.interrupt()

    try:
        reply = kernel.execute_marked(_CELL, on_mark)
    except KernelDied as died:
        raise CellFailedError(str(died)) from None
    if not seen:
        raise CellFailedError(f"the session was never seen running: {reply.error}")
    outcome = SWALLOWED if reply.ok else HEARD if reply.error and reply.error.type == "KeyboardInterrupt" else ""
    return Interrupt(outcome=outcome or str(reply.error).splitlines()[0], struck="struck" in seen)


INTERRUPTS = Scenario(
    NAME,
    "SIGINT in native code, in the first Session.run and in a later one",
    (Setting("forkserver", NAME, "interrupt", "running"),),
    play,
)
