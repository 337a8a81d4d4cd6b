"""Example 1 as a cell: the work that is timed."""

CELL = """\
import tensorflow as tf
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    total = session.run(tf.add(tf.constant(2.0), tf.constant(3.0)))
total
"""
EXPECTED = 5.0
