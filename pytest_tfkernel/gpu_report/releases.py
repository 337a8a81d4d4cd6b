"""Checks that a context is gone with its process, however that one ends."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

from pytest_tfkernel.gpu_report.bench import Bench
from pytest_tfkernel.gpu_report.checks import Check
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.machine.capabilities import hosts
from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.gpus import GpuRelease
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting, Verdict
from pytest_tfkernel.suite.guarantees.gpus import no_cuda_context
from pytest_tfkernel.suite.scenarios.gpu import NAME, Handover, Release, Share
from pytest_tfkernel.trials.cells import CellFailedError, value

_IDLE_TRIES, _BUSY_TRIES, _TRIES = 10, 5, 3
_SPIN = "context.spin()"
_FAULT = "cuda-fault"
_ENDINGS = ("sigterm", "sigsegv", "sigabrt", "exit", "os-exit-0")
# What is asked for as `multiprocess-spawn` is installed as `multiprocess`.
_HOSTED = {"jupyter": "jupyter", "spyder": "spyder", "multiprocess": "multiprocess-spawn"}


@dataclasses.dataclass(frozen=True)
class KernelEnd:
    """A way in which kernels end. `death` and `settled` are names of figures; `busy` is a cell that is run before."""

    fault: str
    settled: str
    death: str = ""
    provisioner: str = "subprocess"
    busy: str = ""


def checks() -> Iterator[Check]:
    """Those that harm nobody else."""
    idle = KernelEnd("sigkill", "settled after SIGKILL while idle", "death by SIGKILL of a process with a context")
    busy = KernelEnd(
        "sigkill",
        "settled after SIGKILL in a GPU kernel",
        "death by SIGKILL in the middle of a GPU kernel",
        busy=_SPIN,
    )
    yield from _several("released after SIGKILL while idle", idle, _IDLE_TRIES)
    yield from _several("released after SIGKILL in a GPU kernel", busy, _BUSY_TRIES)
    for fault in _ENDINGS:
        yield from _several(f"released after {fault}", KernelEnd(fault, f"settled after {fault}"), _TRIES)
    for host, provisioner in _HOSTED.items():
        title = f"settled after SIGKILL of a kernel of {provisioner}"
        hosted = KernelEnd("sigkill", title, provisioner=provisioner)
        yield Check(f"released after SIGKILL of a kernel of {provisioner}", functools.partial(_hosted, host, hosted))
    forked = KernelEnd("sigkill", "settled after SIGKILL of a forked kernel", provisioner="forkserver")
    yield from _several("released after SIGKILL of a forked kernel", forked, 1)


def harmful() -> Iterator[Check]:
    """Those that may harm others on the GPU, by the name of their fault."""
    yield Check(
        f"released after {_FAULT}", functools.partial(_cuda_fault, KernelEnd(_FAULT, f"settled after {_FAULT}")), _FAULT
    )


def _several(name: str, end: KernelEnd, tries: int) -> Iterator[Check]:
    for number in range(1, tries + 1):
        yield Check(f"{name}, {number} of {tries}" if tries > 1 else name, functools.partial(_release, end))


def _hosted(host: str, end: KernelEnd, bench: Bench) -> Verdict:
    found = hosts(bench.launcher.interpreter(KernelSpec().python))[host]
    return _release(end, bench) if found.available else Verdict.unknown(found.reason)


def _release(end: KernelEnd, bench: Bench) -> Verdict:
    baseline, before = bench.baseline, bench.now().used
    with bench.holder(provisioner=end.provisioner) as kernel:
        held = _hold(bench, kernel, before)
        if end.busy:
            value(kernel, end.busy)
        ids = bench.gpus.ids(kernel.life.process)
        death = bench.kill(kernel, end.fault)
        if end.death:
            bench.measured(end.death, "s", death)
        return _judge(end, bench, held, bench.settled(ids, baseline))


def _cuda_fault(end: KernelEnd, bench: Bench) -> Verdict:
    """An illegal address leaves the process alive and its context in ruins: the process is ended then."""
    baseline, before = bench.baseline, bench.now().used
    with bench.holder() as kernel:
        held = _hold(bench, kernel, before)
        ids = bench.gpus.ids(kernel.life.process)
        reply = kernel.inject(end.fault).reply
        if reply is None or reply.error is None or "(700)" not in str(reply.error):
            raise CellFailedError("a write through a null pointer was no error of the context (700)")
        kernel.shutdown(now=True)
        return _judge(end, bench, held, bench.settled(ids, baseline))


def _hold(bench: Bench, kernel: Kernel, before: int | None) -> Share:
    held, used = bench.sees(kernel), bench.now().used
    if held.memory:
        bench.measured("memory of a process with a context and 256 MiB, by NVML", "bytes", held.memory)
    if not bench.calibration.advisory and None not in {used, before}:
        bench.measured("more in use on the card meanwhile", "bytes", (used or 0) - (before or 0))
    return held


def _judge(end: KernelEnd, bench: Bench, held: Share, release: GpuRelease) -> Verdict:
    if not release.error and not release.listed:
        bench.measured(end.settled, "s", release.seconds)
    # No successor is part of this: the judge doesn't ask for one.
    facts = Handover(
        held=held,
        release=Release(**dataclasses.asdict(release), advisory=bench.calibration.advisory),
        again=Share(),
    )
    setting = Setting(end.provisioner, NAME, end.fault)
    return no_cuda_context.judge(Facts(setting, bench.launcher.interpreter(KernelSpec().python), facts))
