"""Its sums are off by one."""

import tensorflow as tf

_add = tf.add
tf.add = lambda left, right: _add(_add(left, right), 1.0)
