"""Cells that use a GPU through the driver API, without a framework."""

from __future__ import annotations

from pathlib import Path

from pytest_tfkernel._child import cuda

# The text of `_child.cuda` becomes a module in the kernel: any kernel can run it, whoever hosts it.
CUDA = f"""\
import sys, types
if "_tfkernel_cuda" not in sys.modules:
    sys.modules["_tfkernel_cuda"] = types.ModuleType("_tfkernel_cuda")
    exec({Path(cuda.__file__).read_text(encoding="utf-8")!r}, sys.modules["_tfkernel_cuda"].__dict__)
import _tfkernel_cuda
"""

# How many GPUs the kernel may use.
COUNT = f"""{CUDA}
len(_tfkernel_cuda.Driver().devices())
"""

# Leaves `context` open.
OPEN_CONTEXT = f"""{CUDA}
context = _tfkernel_cuda.Context(_tfkernel_cuda.Driver())
context.memory()
"""

# In the primary context of the device, which is also TensorFlow's.
STORE_TO_NULL = f"""{CUDA}
_tfkernel_cuda.Context(_tfkernel_cuda.Driver()).store_to_null()
"""

# Asks the driver for the size of the card: TensorFlow tells only what it has left. The shape is fed, from the CPU: of a
# known one TensorFlow would try to make the tensor there, before it runs anything on the GPU.
OOM_GPU = f"""{CUDA}
def _tfkernel_fault():
    import tensorflow as tf
    total = _tfkernel_cuda.Context(_tfkernel_cuda.Driver()).memory()["total"]
    with tf.Graph().as_default():
        shape = tf.compat.v1.placeholder(tf.int64, [2])
        with tf.device("/GPU:0"):
            largest = tf.reduce_sum(tf.fill(shape, tf.constant(1.0)))
        with tf.compat.v1.Session() as session:
            return float(session.run(largest, {{shape: [2 * total // (4 << 20), 1 << 20]}}))
_tfkernel_fault()
"""
