"""What users write, as mypy sees it. Nothing here is run."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

import pytest
from typing_extensions import assert_type

from pytest_tfkernel import (
    CallError,
    Cause,
    CellError,
    Dies,
    ExitStatus,
    Fault,
    ForkServer,
    Jupyter,
    Kernel,
    KernelDied,
    KernelFactory,
    KernelHung,
    KernelIsDead,
    KernelSpec,
    Killer,
    Launcher,
    Leftover,
    Lives,
    Multiprocess,
    NotCarried,
    Outcome,
    PostMortem,
    ProcessId,
    Reply,
    ResourceUsage,
    Spyder,
    Subprocess,
    TFKernelError,
)


def test_kernel(tfkernel: Kernel, tfkernel_factory: KernelFactory, tfkernel_spec: KernelSpec) -> None:
    reply = tfkernel.execute("1 + 1", timeout=5, interactive=False)
    assert_type(reply, Reply)
    assert_type(reply.error, CellError | None)
    assert_type(reply.value, Any)
    outcome = tfkernel.inject("sigkill", phase="idle", timeout=None)
    assert_type(outcome, Outcome)
    assert_type(outcome.post_mortem, PostMortem | None)
    assert_type(outcome.reply, Reply | None)
    assert_type(tfkernel.pid, int)
    assert_type(tfkernel.generation, int)
    assert_type(tfkernel.is_alive, bool)
    assert_type(tfkernel.post_mortems, tuple[PostMortem, ...])
    assert_type(tfkernel.left_behind, tuple[Leftover, ...])
    assert_type(tfkernel.call(max, 1, 2), Any)
    tfkernel.interrupt()
    tfkernel.restart()
    tfkernel.shutdown(now=True)
    assert_type(tfkernel_factory(), Kernel)
    assert_type(tfkernel_factory(tfkernel_spec, timeout=5), Kernel)
    assert_type(tfkernel_spec.environment, Mapping[str, str | None])


def test_death(tfkernel: Kernel) -> None:
    with pytest.raises(KernelDied) as died:
        tfkernel.execute("import os; os._exit(0)")
    post_mortem = died.value.post_mortem
    assert_type(post_mortem.exit_status, ExitStatus | None)
    assert_type(post_mortem.cause, Cause)
    assert_type(post_mortem.killer, Killer)
    assert_type(post_mortem.usage, ResourceUsage | None)
    assert_type(post_mortem.process, ProcessId)
    with pytest.raises((KernelHung, KernelIsDead, CallError, TFKernelError)):
        tfkernel.execute("1")


def own_fault() -> Fault:
    def strike(kernel: Kernel, timeout: float | None) -> Reply:
        return kernel.execute("1 / 0", timeout=timeout)

    assert_type(Dies(ExitStatus(signal=signal.SIGKILL), Cause.SIGNAL, Killer.US).stack, bool)
    return Fault("own", "divides by zero", strike, Lives(("ZeroDivisionError",)))


def provisioners() -> tuple[KernelSpec, ...]:
    return (
        KernelSpec(provisioner=Subprocess()),
        KernelSpec(provisioner=ForkServer(preload=("numpy",))),
        KernelSpec(provisioner=Multiprocess(method="fork")),
        KernelSpec(provisioner=Jupyter(kernelspec="mine", restart_poll=0.2)),
        KernelSpec(provisioner=Spyder(restart_poll=0.2)),
    )


def without_pytest() -> None:
    with Launcher() as launcher:
        kernel = launcher.start(KernelSpec(provisioner="subprocess", python="python3.9"))
        value = kernel.execute("object()").value
        assert isinstance(value, NotCarried)
        assert_type(value.reason, str)
