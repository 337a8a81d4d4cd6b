"""Its session loses the variables' values from one cell to the next."""

import sys

import tensorflow as tf

_run = tf.compat.v1.Session.run
_cells = []


def _forgetful(self, fetches, *args, **kwargs):
    cell = sys._getframe(1).f_code.co_filename
    if _cells and cell != _cells[-1]:
        _run(self, tf.compat.v1.global_variables_initializer())
    _cells.append(cell)
    return _run(self, fetches, *args, **kwargs)


tf.compat.v1.Session.run = _forgetful
