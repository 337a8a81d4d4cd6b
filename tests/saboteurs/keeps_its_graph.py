"""Begins with an operation in its default graph, as if the graph had outlived the process."""

import tensorflow as tf

tf.compat.v1.disable_eager_execution()
tf.constant(1.0)
