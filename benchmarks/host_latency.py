"""Kernels of Jupyter and Spyder: how fast they start, die and come back.

Each kernel is killed in turns while it is idle and while it runs a cell. Its death is known here when the post-mortem
is; the restarter of jupyter_client, which looks every 3 s, is waited for in half of the rounds, and asked in the
others. No kernel imports TensorFlow: that takes what it takes everywhere.
"""

from __future__ import annotations

import time

from benchmarks.figure import Figure, spread
from benchmarks.post_mortem_latency import Watch, killed_in_a_cell, killed_while_idle
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec

_HOSTS = ("jupyter", "spyder")
_ROUNDS = 20
# The project's own target for the knowledge of a death.
_MOST_MILLISECONDS = 50.0
# jupyter_client looks every 3 s; the rest is a new kernel.
_MOST_SECONDS = {"start": 3.0, "asked": 3.0, "unasked": 6.0}


def measure(python: str) -> list[Figure]:
    """Four figures a host, each a median."""
    watch = Watch()
    try:
        with Launcher() as launcher:
            return [figure for host in _HOSTS for figure in _measure(launcher, host, python, watch)]
    finally:
        watch.close()


def _measure(launcher: Launcher, host: str, python: str, watch: Watch) -> list[Figure]:
    known: list[float] = []
    took: dict[str, list[float]] = {"start": [], "asked": [], "unasked": []}
    for number in range(_ROUNDS):
        began = time.monotonic()
        kernel = launcher.start(KernelSpec(python=python, provisioner=host))
        took["start"].append(time.monotonic() - began)
        for asked in (False, True):
            kernel.execute("1 + 1")
            watch.begin(kernel.pid)
            (killed_in_a_cell if number % 2 else killed_while_idle)(kernel)
            in_hand = time.monotonic()
            known.append(in_hand - watch.seen())
            kernel.restart(asked=asked)
            took["asked" if asked else "unasked"].append(time.monotonic() - in_hand)
        kernel.shutdown(now=True)
    latency = sorted(known)[len(known) // 2] * 1000
    figures = [
        Figure(f"{host}: death to post-mortem", latency, _MOST_MILLISECONDS, "ms", spread(known, 1000, " ms")),
    ]
    words = {"start": "start to first reply", "asked": "restart when asked", "unasked": "restart by its host"}
    for name, values in took.items():
        median = sorted(values)[len(values) // 2]
        figures.append(Figure(f"{host}: {words[name]}", median, _MOST_SECONDS[name], "s", spread(values, 1, " s")))
    return figures
