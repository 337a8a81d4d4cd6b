"""Takes a late change of its threads without a word."""

import contextlib

import tensorflow as tf

_set = tf.config.threading.set_intra_op_parallelism_threads


def _meek(number):
    with contextlib.suppress(RuntimeError):
        _set(number)


tf.config.threading.set_intra_op_parallelism_threads = _meek
