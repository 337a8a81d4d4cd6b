"""Checks of what one process on a card means to another: its neighbour, its child, and its successor."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pytest_tfkernel.audit.ledger import AuditedKernel, Ledger, OwnProcesses, baseline
from pytest_tfkernel.gpu_report.bench import MIB, Bench
from pytest_tfkernel.gpu_report.checks import Check
from pytest_tfkernel.kernels.faults.gpu_cells import OPEN_CONTEXT
from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.trials.cells import value

_READS = 10
_MOST_OF_IT = 0.9
_SUCCESSOR_SECONDS = 30.0
_SETTLE_SECONDS = 0.5
# Leaves a child that has all handles of its parent, and no wish to end.
FORK = """
import os, signal
forked = os.fork()
if forked == 0:
    os.setsid()
    while True:
        signal.pause()
forked
"""
USE_IN_A_FORK = """
import os
reader, writer = os.pipe()
if os.fork() == 0:
    try:
        context.synchronize()
        said = "works"
    except Exception as error:
        said = str(error)
    os.write(writer, said.encode())
    os._exit(0)
os.close(writer)
os.wait()
os.read(reader, 1000).decode()
"""


def checks() -> Iterator[Check]:
    """Those that harm nobody else."""
    yield Check("NVML is read", _reading)
    yield Check("a neighbour on the same GPU keeps its memory", _neighbour)
    yield Check("an orphan that has the handles is found and named", _orphan)
    yield Check("a fork of a process with a context can't use it", _fork)


def greedy() -> Iterator[Check]:
    """Those that take most of the card."""
    yield Check("the next kernel can allocate what the dead one held", _successor, "oom-gpu")


def _reading(bench: Bench) -> Verdict:
    for _ in range(_READS):
        began = bench.clock()
        bench.now()
        bench.measured("one reading of NVML, once it is initialised", "s", bench.clock() - began)
    return Verdict.passed()


def _neighbour(bench: Bench) -> Verdict:
    with bench.holder() as neighbour, bench.holder() as victim:
        value(neighbour, "context.store(held, 2.0)")
        value(victim, "context.spin()")
        bench.kill(victim)
        kept = value(neighbour, "context.load(held)")
        if kept != 2.0:  # noqa: PLR2004 - what was stored above
            return Verdict.failed(f"its memory held 2.0 before, and {kept} after its neighbour's death")
        if not bench.sees(neighbour).listed:
            return Verdict.failed("NVML doesn't list it after its neighbour's death")
        return Verdict.passed()


def _orphan(bench: Bench) -> Verdict:
    """Whether NVML goes on listing the dead process is the driver's affair: it is written down."""
    existed, before = baseline(), bench.baseline
    with bench.holder() as kernel:
        if not any(path.startswith(f"{bench.gpus.devices}/nvidia") for path in _open_files(kernel.pid)):
            return Verdict.unknown("a process with a context has no device of the driver open here")
        lease, supervisor = kernel.life.lease, bench.launcher.supervisor
        ledger = Ledger(
            AuditedKernel(
                kernel.life.process, lease, lambda: OwnProcesses([one.process for one in supervisor.members(lease)])
            ),
            existed,
        )
        ledger.note("the start")
        forked, dead = value(kernel, FORK), kernel.pid
        ids = bench.gpus.ids(kernel.life.process)
        ledger.note("the fork")
        bench.kill(kernel)
        found = ledger.audit(_SETTLE_SECONDS)
        now = bench.now()
        is_listed = any(one.pid in ids for one in now.processes or ())
        if before is not None and now.used is not None:
            bench.measured("more in use than before while an orphan has the handles", "bytes", now.used - before)
        kernel.shutdown(now=True)
        release = bench.settled(ids, before)
    if not release.error and not release.listed:
        bench.measured("settled after the end of the orphan", "s", release.seconds)
    holders = {
        holder.process.pid
        for leak in found.leaks
        if leak.resource.kind is Kind.DEVICE
        for holder in leak.resource.holders
    }
    given = f"NVML {'listed' if is_listed else 'did not list'} the dead process {dead} meanwhile"
    if holders != {forked}:
        return Verdict.failed(f"the devices are said to be held by {sorted(holders)}, and not by {forked}", given)
    return Verdict.passed("", given)


def _open_files(pid: int) -> Iterator[str]:
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            yield str(link.readlink())


def _fork(bench: Bench) -> Verdict:
    with bench.holder() as kernel:
        said = str(value(kernel, USE_IN_A_FORK))
    return Verdict.failed("it works there") if said == "works" else Verdict.passed(said)


def _successor(bench: Bench) -> Verdict:
    """Not before it asks: the driver may give memory back some time after the death."""
    with bench.holder(MIB) as kernel:
        free = value(kernel, "context.memory()")["free"]
        most = int(free * _MOST_OF_IT)
        value(kernel, f"most = context.allocate({most})")
        bench.measured("death of a process with 90 % of the card", "s", bench.kill(kernel))
        died, refused = bench.clock(), 0
        kernel.restart()
        value(kernel, OPEN_CONTEXT)
        while (error := kernel.execute(f"most = context.allocate({most})").error) is not None:
            refused += 1
            if "(2)" not in error.message or bench.clock() - died > _SUCCESSOR_SECONDS:
                return Verdict.failed(f"{most} bytes were refused {refused} times: {error.message}")
        bench.measured(
            "90 % of the card allocated again by the next process, after the death", "s", bench.clock() - died
        )
        return Verdict.passed(f"{most} bytes again", f"it was refused {refused} times before")
