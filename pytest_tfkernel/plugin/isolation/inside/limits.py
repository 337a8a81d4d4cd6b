"""The limits of a process of isolation, which a test may lower and leave so."""

from __future__ import annotations

import contextlib
import resource

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# Soft and hard, by the number of the limit.
ResourceLimits = dict[int, tuple[int, int]]


def now() -> ResourceLimits:
    """Those that hold."""
    numbers = {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
    return {number: resource.getrlimit(number) for number in numbers}


def restore(limits: ResourceLimits) -> None:
    """Take back what was lowered since, as far as it can be."""
    for number, (soft, _) in limits.items():
        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(number)[1]
            resource.setrlimit(
                number,
                (
                    soft
                    if hard == resource.RLIM_INFINITY
                    else (hard if soft == resource.RLIM_INFINITY else min(soft, hard)),
                    hard,
                ),
            )
