"""Kernels: how they begin, what they are asked, and the faults that injure them."""
