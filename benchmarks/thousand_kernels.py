"""What grows while 1,000 forkserver kernels are started and killed in a row.

Looked at are pytest's process (here this one), the supervisor and the fork server, always when no
kernel is alive: handles, threads, memory, and the processes and zombies below this one. Memory is
anonymous memory, in RAM or swapped: pages of files come and go as the Linux kernel likes.
The first 100 kernels are warm-up. No growth means:

- handles, threads, processes and zombies: as many after the last kernel as after the warm-up;
- memory, of each process: at most 1 MB more at the end than after the warm-up, *and* a trend (the
  median of the slopes between all pairs of snapshots, Theil and Sen) of at most 1 MB in 1,000 kernels.
"""

from __future__ import annotations

import gc
import itertools
import os
import statistics
from collections.abc import Sequence

from benchmarks.figure import Figure
from benchmarks.processes import handles, memory, threads
from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.kernels.provisioners.forkserver import ForkServers
from pytest_tfkernel.model.kernels import KernelSpec

_KERNELS = 1000
_WARM_UP = 100
_EVERY = 50
_MEGABYTE = 1e6
_MOST_MEGABYTES = 1.0

Snapshot = dict[str, int]


def measure(python: str) -> list[Figure]:
    """Growth by kind, the worst of the three processes."""
    snapshots: list[Snapshot] = []
    with Launcher() as launcher:
        for started in range(1, _KERNELS + 1):
            kernel = launcher.start(KernelSpec(python=python))
            if kernel.inject("sigkill").post_mortem is None:
                raise RuntimeError("the kernel outlived SIGKILL")
            kernel.shutdown()
            if started >= _WARM_UP and started % _EVERY == 0:
                snapshots.append(_snapshot(launcher))
    first, last = snapshots[0], snapshots[-1]
    figures = []
    for kind in ("handles", "threads", "processes", "zombies"):
        names = [name for name in first if name.startswith(kind)]
        growth = max(last[name] - first[name] for name in names)
        detail = ", ".join(f"{name}: {first[name]} to {last[name]}" for name in names)
        figures.append(Figure(f"{_KERNELS} kernels, growth of {kind}", growth, 0, "", detail))
    names = [name for name in first if name.startswith("memory")]
    growth = max(last[name] - first[name] for name in names)
    detail = ", ".join(f"{name}: {first[name] / _MEGABYTE:.1f} to {last[name] / _MEGABYTE:.1f}" for name in names)
    figures.append(Figure(f"{_KERNELS} kernels, growth of memory", growth / _MEGABYTE, _MOST_MEGABYTES, "MB", detail))
    trends = {name: trend([snapshot[name] for snapshot in snapshots]) / _MEGABYTE for name in names}
    detail = ", ".join(f"{name}: {slope:+.2f}" for name, slope in trends.items())
    figures.append(
        Figure(f"{_KERNELS} kernels, trend of memory", max(trends.values()), _MOST_MEGABYTES, "MB/1000", detail)
    )
    return figures


def trend(values: Sequence[int]) -> float:
    """Growth in 1,000 kernels, from equidistant snapshots: the median of all slopes."""
    pairs = itertools.combinations(enumerate(values), 2)
    return statistics.median((later - earlier) / (j - i) for (i, earlier), (j, later) in pairs) / _EVERY * 1000


def _snapshot(launcher: Launcher) -> Snapshot:
    gc.collect()
    forkserver = launcher.makers["forkserver"]
    assert isinstance(forkserver, ForkServers)
    (server,) = forkserver.servers
    watched = {"pytest": os.getpid(), "supervisor": launcher.supervisor.pid, "fork server": server.pid}
    found: Snapshot = {}
    for name, pid in watched.items():
        found[f"handles of {name}"] = handles(pid)
        found[f"threads of {name}"] = threads(pid)
        found[f"memory of {name}"] = memory(pid, "Anonymous") + memory(pid, "Swap")
    below = proc.descendants(os.getpid())
    found["processes"] = len(below)
    found["zombies"] = sum(one["state"] == "Z" for one in below)
    return found
