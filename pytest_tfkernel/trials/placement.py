"""Where TensorFlow ran what a session was asked for, by the partition graphs of that run."""

from __future__ import annotations

from collections.abc import Sequence

# A run is a pair for each node of its partition graphs: the op, and the device. What TensorFlow had computed before
# it ran, as it does with an operation on constants, is a constant there; what a person has fed it can't.
Run = Sequence[Sequence[str]]

# Binds `_tfkernel_run(session, fetch, feed)`: the value, and the run; None for the run of a session that tells none.
RUN = """\
def _tfkernel_run(session, fetch, feed):
    options = tf.compat.v1.RunOptions(output_partition_graphs=True)
    told = tf.compat.v1.RunMetadata()
    value = session.run(fetch, feed, options=options, run_metadata=told)
    return value, [[node.op, node.device] for graph in told.partition_graphs for node in graph.node] or None
"""

# They bring values to where they are wanted, and compute nothing.
_CARRIERS = ("Const", "Identity", "NoOp", "_Arg", "_Retval", "_Send", "_Recv", "_HostSend", "_HostRecv")


def products(run: Run) -> tuple[str, ...]:
    """The devices that multiplied matrices, each once. TensorFlow has several ops for it, such as `_MklMatMul`."""
    return tuple(dict.fromkeys(device for op, device in run if "MatMul" in op))


def computed(run: Run) -> tuple[str, ...]:
    """The devices that computed anything, each once: none where all had been computed before."""
    return tuple(dict.fromkeys(device for op, device in run if op not in _CARRIERS))


def ops(run: Run) -> str:
    """What ran, in one line."""
    return ", ".join(dict.fromkeys(op for op, _ in run))


def short(device: str) -> str:
    """A device without its job and task, which are those of every local session."""
    return device[device.rfind("/device:") :] if "/device:" in device else device


def folded(run: Run) -> str:
    """That nothing was left to compute; empty where something was."""
    return "" if computed(run) else f"nothing computed when the session ran ({ops(run)}): it had been, on the CPU"


def not_on(gpus: Sequence[str], run: Run | None) -> str:
    """Why a product wasn't computed on one of these GPUs; empty where it was, or may have been."""
    if not run:
        return "the run doesn't tell what computed, and where"
    elsewhere = [device for device in products(run) or computed(run) if device not in gpus]
    return folded(run) or (f"TensorFlow lists {gpus[0]}, but the product ran on {elsewhere[0]}" if elsewhere else "")
