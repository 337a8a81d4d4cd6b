"""SIGINT while an op runs in native code: in the first Session.run of a process, and in a later one."""

from __future__ import annotations

import time
from typing import Any

from pytest_tfkernel.kernels.errors import KernelDied
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Facts, Setting
from pytest_tfkernel.suite.cells import CellFailedError, value
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Start, perform
from pytest_tfkernel.suite.stage import Stage

NAME = "interrupt-is-heard"
HEARD, SWALLOWED = "heard", "swallowed"

_PID = "import os\nos.getpid()"

# A thread looks at the main one's Python frames: once the last of them is the one that calls into native
# code, the session runs. An op that calls back into Python would do too, but then nothing is swallowed.
_CELL = """\
def _tfkernel_scenario():
    import sys, threading
    import tensorflow as tf
    main = threading.main_thread().ident
    def watch():
        while sys._current_frames()[main].f_code.co_name != "_call_tf_sessionrun":
            pass
        _tfkernel_mark("in")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        product = tf.random.uniform([1000, 1000])
        for _ in range(20):
            product = tf.matmul(product, product) / 1000.0
        total = tf.reduce_sum(product)
        threading.Thread(target=watch, daemon=True).start()
        session.run(total)
_tfkernel_scenario()
"""


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """`first` and `second` have `outcome` (heard, swallowed, or another error) and `waited`.

    That is the time from the signal to the reply, in seconds. `pids` are those before and after.
    """

    def script(start: Start, facts: dict[str, Any]) -> None:
        kernel = start()
        facts["pids"] = [value(kernel, _PID)]
        for name in ("first", "second"):
            facts[name] = _interrupt(kernel)
        facts["pids"].append(value(kernel, _PID))

    return perform(setting, stage, spec, script)


def _interrupt(kernel: Kernel) -> dict[str, Any]:
    struck: list[float] = []

    def on_mark(_: str) -> None:
        kernel.interrupt()
        struck.append(time.monotonic())

    try:
        reply = kernel.execute_marked(_CELL, on_mark)
    except KernelDied as died:
        raise CellFailedError(str(died)) from None
    if not struck:
        raise CellFailedError(f"the session was never seen running: {reply.error}")
    outcome = SWALLOWED if reply.ok else HEARD if reply.error and reply.error.type == "KeyboardInterrupt" else ""
    return {"outcome": outcome or str(reply.error).splitlines()[0], "waited": time.monotonic() - struck[0]}


INTERRUPTS = Scenario(
    NAME,
    "SIGINT in native code, in the first Session.run and in a later one",
    (Setting("forkserver", NAME, "interrupt", "running"),),
    play,
)
