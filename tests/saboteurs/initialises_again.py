"""Runs the initializer in each new session, as if there were never anything to keep."""

import tensorflow as tf

_run = tf.compat.v1.Session.run
_seen = set()


def _initialising(self, *args, **kwargs):
    if id(self) not in _seen:
        _seen.add(id(self))
        _run(self, tf.compat.v1.global_variables_initializer())
    return _run(self, *args, **kwargs)


tf.compat.v1.Session.run = _initialising
