"""Begins in graph mode, whatever its TensorFlow does by default."""

import tensorflow as tf

tf.compat.v1.disable_eager_execution()
