"""From its second process on, its variables begin with the value that they had before."""

import os

import tensorflow as tf

_MARK = os.path.join(os.environ["SABOTEUR_FOLDER"], "was-here")
_Variable = tf.Variable

if os.path.exists(_MARK):
    tf.Variable = lambda value, **kwargs: _Variable(value + 1.0, **kwargs)
open(_MARK, "w").close()
