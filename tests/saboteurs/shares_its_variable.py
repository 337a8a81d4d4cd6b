"""Reads what any kernel of its folder has written last."""

import os

import tensorflow as tf

import __main__

_LAST = os.path.join(os.environ["SABOTEUR_FOLDER"], "last")
_run = tf.compat.v1.Session.run


def _sharing(self, fetches, *args, **kwargs):
    result = _run(self, fetches, *args, **kwargs)
    if fetches is vars(__main__).get("my_variable"):
        return float(open(_LAST).read()) if os.path.exists(_LAST) else result
    if result is not None:
        open(_LAST, "w").write(str(result))
    return result


tf.compat.v1.Session.run = _sharing
