"""Begins with a choice that nobody made in this process."""

import tensorflow as tf

tf.config.threading.set_inter_op_parallelism_threads(3)
