"""Processes: kernels, the faults that injure them, and the supervisor that holds them."""
