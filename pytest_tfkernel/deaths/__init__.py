"""What `pytest-tfkernel deaths` lists: the last deaths of this user's kernels; no pytest."""
