"""Loses its variables when the kernel that was started before it is dead."""

import os

import tensorflow as tf

_MARK = os.path.join(os.environ["SABOTEUR_FOLDER"], "pid")
_other = open(_MARK).read() if os.path.exists(_MARK) else str(os.getpid())
open(_MARK, "w").write(str(os.getpid()))
_run = tf.compat.v1.Session.run


def _mourning(self, *args, **kwargs):
    if not os.path.exists(f"/proc/{_other}"):
        _run(self, tf.compat.v1.global_variables_initializer())
    return _run(self, *args, **kwargs)


tf.compat.v1.Session.run = _mourning
