"""Its variables keep their first value."""

import tensorflow as tf

_Variable = tf.Variable


def _stubborn(*args, **kwargs):
    variable = _Variable(*args, **kwargs)
    variable.assign = lambda value: variable.read_value()
    return variable


tf.Variable = _stubborn
