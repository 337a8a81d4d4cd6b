"""Its matrix products have the right shape and wrong numbers."""

import tensorflow as tf

_matmul = tf.matmul
tf.matmul = lambda left, right: _matmul(left, right) + 1.0
