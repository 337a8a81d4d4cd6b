"""Begins with a default session."""

import tensorflow as tf

tf.compat.v1.disable_eager_execution()
tf.compat.v1.InteractiveSession()
