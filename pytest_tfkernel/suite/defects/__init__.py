"""Defects of TensorFlow that are known: where they are listed, and what becomes of a verdict that fits one."""
