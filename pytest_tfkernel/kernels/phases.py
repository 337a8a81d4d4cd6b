"""What a kernel can be doing when a fault strikes, and how it is brought there.

Nothing is guessed from times: a kernel says over its channel that it is there (the mark `in`), and
that it has left (the mark `out`). A fault that struck between the two struck in the phase.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_tfkernel.model.errors import FaultError

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

IDLE = "idle"
STARTING = "starting"
EXITING = "exiting"
COLD = "cold"


@dataclass(frozen=True)
class Phase:
    """One moment. `cell` brings a kernel there; `idle` and `starting` need none.

    Where a cell says `{folder!r}`, it writes to a folder that its sender fills in. `needs` names what
    the cell must find: nothing, or a kernel that has not imported TensorFlow (`cold`), or the variables
    of the canonical example `variable_assign`.
    """

    name: str
    summary: str
    cell: str = ""
    needs: str = ""


# The op waits for a signal: Python's handlers run when the main thread is back from Session.run, but the
# wakeup descriptor is written to at once. It gives up after 30 s.
_RUNNING = """\
def _tfkernel_phase():
    import signal, socket
    import tensorflow as tf
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    reader.settimeout(30.0)
    def inside():
        _tfkernel_mark("in")
        try:
            reader.recv(1)
        except socket.timeout:
            pass
        return 1.0
    before = signal.set_wakeup_fd(writer.fileno())
    try:
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.py_func(inside, [], tf.float64))
            _tfkernel_mark("out")
    finally:
        signal.set_wakeup_fd(before)
_tfkernel_phase()
"""

_ASSIGNING = """\
def _tfkernel_phase():
    import time
    import tensorflow as tf
    run, assign = session.run, my_variable.assign
    def inside():
        _tfkernel_mark("in")
        time.sleep(30)
        return 7.0
    value = tf.cast(tf.compat.v1.py_func(inside, [], tf.float64), tf.float32)
    value.set_shape([])
    run(assign(value))
    _tfkernel_mark("out")
_tfkernel_phase()
"""

# 64 MiB take some tenths of a second to write. The folder is the caller's, who removes what a kill leaves.
_SAVING = """\
def _tfkernel_phase():
    import os
    import tensorflow as tf
    with tf.Graph().as_default(), tf.compat.v1.Session() as saving:
        tf.Variable(tf.zeros([1 << 24]), name="large")
        saver = tf.compat.v1.train.Saver()
        saving.run(tf.compat.v1.global_variables_initializer())
        _tfkernel_mark("in")
        saver.save(saving, os.path.join({folder!r}, "saved"))
        _tfkernel_mark("out")
_tfkernel_phase()
"""

_IMPORTING = """\
import sys
class _TfkernelPhase:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("tensorflow.python.", "tensorflow_core.python.")):
            sys.meta_path.remove(self)
            _tfkernel_mark("in")
sys.meta_path.insert(0, _TfkernelPhase())
import tensorflow
_tfkernel_mark("out")
"""

_EXITING = """\
def _tfkernel_phase():
    import atexit, time
    mark = _tfkernel_mark
    def leaving():
        mark("in")
        time.sleep(30)
        mark("out")
    atexit.register(leaving)
_tfkernel_phase()
"""

PHASES: tuple[Phase, ...] = (
    Phase(IDLE, "waiting for the next cell"),
    Phase("importing", "in the middle of `import tensorflow`", _IMPORTING, COLD),
    Phase("running", "inside Session.run, in an op of the graph", _RUNNING),
    Phase("assigning", "inside Session.run, computing what is assigned", _ASSIGNING, "variable_assign"),
    Phase("saving", "inside Saver.save", _SAVING),
    Phase(STARTING, "started, but still silent"),
    Phase(EXITING, "asked to shut down, and in an atexit function", _EXITING),
)


def find(name: str) -> Phase:
    """A phase by its name. Raises FaultError with the names there are."""
    for phase in PHASES:
        if phase.name == name:
            return phase
    raise FaultError(f"phase {name!r} is unknown: choose from {', '.join(phase.name for phase in PHASES)}")
