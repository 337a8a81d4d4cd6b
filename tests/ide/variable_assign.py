"""A variable that is 1.0, then 2.0: what one runs with F5, again and again."""

import os

import tensorflow as tf

tf.compat.v1.disable_eager_execution()

graph = tf.compat.v1.get_default_graph()
print("process:", os.getpid())
print("operations in its graph:", len(graph.get_operations()))

my_variable = tf.Variable(1.0, name="my_variable", dtype=tf.float32)
add_one = tf.compat.v1.assign(my_variable, my_variable + 1)

with tf.compat.v1.Session() as session:
    session.run(tf.compat.v1.global_variables_initializer())
    first = session.run(my_variable)
    session.run(add_one)
    second = session.run(my_variable)

print("my_variable:", first)
print("my_variable:", second)

# TensorFlow has no types:
# mypy: ignore-errors
