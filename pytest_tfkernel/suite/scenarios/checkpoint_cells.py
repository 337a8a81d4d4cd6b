"""What the victims of the checkpoint scenarios run: three ways to save, and one way to be killed meanwhile.

Every value is the number of its checkpoint: in the scalar `step` and in each element of `large`, so
that a file of which a part is older shows. 8 MiB take some hundredths of a second to write.
"""

from __future__ import annotations

from pathlib import Path

# Each defines `fill(number)`, `save(number)`, `restore(path)` and `read()`.
_GRAPH = """\
tf.compat.v1.disable_eager_execution()
step = tf.Variable(0.0, name="step")
large = tf.Variable(tf.zeros([1 << 21]), name="large")
number_ = tf.compat.v1.placeholder(tf.float32, [])
_fill = tf.group(step.assign(number_), large.assign(tf.fill([1 << 21], number_)))
_read = [step, tf.reduce_min(large), tf.reduce_max(large)]
session = tf.compat.v1.Session()
session.run(tf.compat.v1.global_variables_initializer())
def fill(number):
    session.run(_fill, {number_: number})
def read():
    return [float(one) for one in session.run(_read)]
"""

_SAVER = f"""{_GRAPH}
saver = tf.compat.v1.train.Saver(max_to_keep=3)
def save(number):
    saver.save(session, os.path.join(folder, "ckpt"), global_step=number, write_meta_graph=False)
def restore(path):
    # So that what an earlier process saved is thinned out, too.
    saver.recover_last_checkpoints(tf.train.get_checkpoint_state(folder).all_model_checkpoint_paths)
    saver.restore(session, path)
"""

_OBJECTS = """
checkpoint = tf.train.Checkpoint(step=step, large=large)
manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=3)
"""

_GRAPH_OBJECTS = f"""{_GRAPH}{_OBJECTS}
def save(number):
    with session.as_default():
        manager.save(checkpoint_number=number)
def restore(path):
    checkpoint.restore(path).assert_consumed().run_restore_ops(session)
# Makes its counter and the ops of a save, which a graph needs before anything is restored.
with session.as_default():
    session.run(checkpoint.save_counter.initializer)
"""

_EAGER_OBJECTS = f"""\
tf.compat.v1.enable_eager_execution()
step = tf.Variable(0.0, name="step")
large = tf.Variable(tf.zeros([1 << 21]), name="large")
def fill(number):
    step.assign(float(number))
    large.assign(tf.fill([1 << 21], float(number)))
def read():
    return [float(one.numpy()) for one in (step, tf.reduce_min(large), tf.reduce_max(large))]
{_OBJECTS}
checkpoint.save_counter
def save(number):
    manager.save(checkpoint_number=number)
def restore(path):
    checkpoint.restore(path).assert_consumed()
"""

WAYS = {
    "checkpoint-outlives-saver": _SAVER,
    "checkpoint-outlives-eager": _EAGER_OBJECTS,
    "checkpoint-outlives-graph": _GRAPH_OBJECTS,
}

# The number of the newest checkpoint, and what it restores to: `step`, and the extremes of `large`.
RESTORE = """\
latest = tf.train.latest_checkpoint(folder)
if latest is not None:
    restore(latest)
{"newest": int(latest.rsplit("-", 1)[1]) if latest else None, "read": read() if latest else None}
"""


def prepare(way: str, folder: Path) -> str:
    """The cell with which a kernel begins."""
    return f"import os\nimport tensorflow as tf\nfolder = {str(folder)!r}\n{WAYS[way]}"


def keep_saving(first: int, number: int) -> str:
    """The cell that saves `number` times; each save is between the marks `in N` and `out N SECONDS`."""
    return f"""\
def _tfkernel_saving():
    import time
    for number in range({first}, {first + number}):
        fill(number)
        _tfkernel_mark("in %d" % number)
        began = time.monotonic()
        save(number)
        _tfkernel_mark("out %d %f" % (number, time.monotonic() - began))
_tfkernel_saving()
"""
