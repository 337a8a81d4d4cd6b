"""What a process of isolation has around it that matters to a fork: variables, and processes that it has started."""

from __future__ import annotations

import os

# What people set for TensorFlow and Keras in a file that imports them then; its import sets others itself.
_IMPORT_TIME = ("TF_", "KERAS_", "CUDA_", "XLA_")


def import_time() -> dict[str, str]:
    """The variables that TensorFlow sees while it is imported."""
    return {name: text for name, text in os.environ.items() if name.startswith(_IMPORT_TIME)}


def children(what: str) -> str | None:
    """Why those that it has started are in the way: its forks would share them, and each end them at its end."""
    try:
        with open("/proc/self/task/%d/children" % os.getpid()) as file:  # noqa: UP031, PTH123 - as in `_child`
            found = file.read().split()
    except OSError:
        return None
    return f"{what} started {len(found)} process(es)" if found else None
