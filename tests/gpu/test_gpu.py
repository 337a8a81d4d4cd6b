"""CUDA contexts and their deaths, on a real GPU, through the driver API alone."""

from __future__ import annotations

import os
import time

import pytest

from card import MIB, Card, value
from pytest_tfkernel.audit.ledger import AuditedKernel, Ledger, OwnProcesses, baseline
from pytest_tfkernel.gpu_report.sharing import FORK, USE_IN_A_FORK
from pytest_tfkernel.kernels.faults.gpu_cells import CUDA, OPEN_CONTEXT
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.gpus import PerProcess, Sight
from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.trials.timeline import Timeline

pytestmark = pytest.mark.gpu

SPIN = "context.spin()"
STORE_TO_NULL = "context.store_to_null()"
MEMORY = "context.memory()"


def test_the_sentinel_is_seen(gpus: Gpus, card: Card) -> None:
    assert gpus.calibration.sight is Sight.FULL
    assert gpus.calibration.per_process in set(PerProcess)
    began = time.monotonic()
    gpus.nvml.read()
    card.measure("one reading of NVML, s", time.monotonic() - began)


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_a_hidden_gpu_is_not_seen(launcher: Launcher, card: Card, monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    gpus = Gpus(launcher)
    seen = gpus.calibration
    gpus.close()
    assert seen.sight in {Sight.NO_GPU, Sight.NO_CONTEXT}, seen
    assert card.calibration.visible[0] not in seen.visible


def test_a_gpu_is_chosen_by_its_uuid(launcher: Launcher, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", f"GPU-{card.uuid}")
    gpus = Gpus(launcher)
    seen = gpus.calibration
    gpus.close()
    assert (seen.sight, seen.visible) == (Sight.FULL, (card.uuid,))


def kill(kernel: Kernel, fault: str = "sigkill") -> float:
    """End a kernel by a fault; how long its death took, in seconds."""
    began = time.monotonic()
    assert kernel.inject(fault).post_mortem is not None
    return time.monotonic() - began


def test_a_time_line_has_the_memory_that_is_used(gpus: Gpus, card: Card) -> None:
    timeline = Timeline(gpus.used_memory)
    process = card.holder().life.process
    timeline.reached("started", process)
    (moment,) = timeline.moments
    assert (moment.gpu_memory or 0) >= 256 * MIB
    began = time.monotonic()
    timeline.reached("cell", process)
    card.measure("one moment of a time line, s", time.monotonic() - began)


@pytest.mark.parametrize("attempt", range(10))
def test_a_context_killed_while_idle_is_released(card: Card, attempt: int) -> None:
    before = card.used()
    kernel = card.holder()
    during = card.used()
    card.measure("death by SIGKILL of a process with a context, s", kill(kernel))
    release = card.released(kernel.pid, before, "settled after SIGKILL while idle, s")
    assert release.listed is False
    if not card.calibration.advisory:
        assert during >= before + 256 * MIB
        assert release.used is not None
        assert release.used <= before + 8 * MIB


@pytest.mark.parametrize("attempt", range(5))
def test_a_context_killed_while_it_computes_is_released(card: Card, attempt: int) -> None:
    before = card.used()
    kernel = card.holder()
    value(kernel, SPIN)
    assert card.lists(kernel)
    card.measure("death by SIGKILL in the middle of a GPU kernel, s", kill(kernel))
    assert card.released(kernel.pid, before, "settled after SIGKILL in a GPU kernel, s").listed is False


@pytest.mark.parametrize(
    ("host", "module"), [("jupyter", "ipykernel"), ("spyder", "spyder_kernels"), ("multiprocess-spawn", "multiprocess")]
)
def test_a_context_of_a_hosted_kernel_is_released(card: Card, host: str, module: str) -> None:
    pytest.importorskip(module)
    before = card.used()
    kernel = card.holder(provisioner=host)
    kill(kernel)
    assert card.released(kernel.pid, before, f"settled after SIGKILL of a kernel of {host}, s").listed is False


@pytest.mark.parametrize("fault", ["sigterm", "sigsegv", "sigabrt", "exit", "os-exit-0"])
def test_a_context_is_released_however_its_process_ends(card: Card, fault: str) -> None:
    before = card.used()
    kernel = card.holder()
    kill(kernel, fault)
    assert card.released(kernel.pid, before, f"settled after {fault}, s").listed is False


@pytest.mark.parametrize("attempt", range(3))
def test_the_next_kernel_can_allocate_what_the_dead_one_held(card: Card, attempt: int) -> None:
    before = card.used()
    kernel = card.holder(MIB)
    free = value(kernel, MEMORY)["free"]  # type: ignore[index]
    most = int(free * 0.9)
    value(kernel, f"most = context.allocate({most})")
    card.measure("death of a process with 90 % of the card, s", kill(kernel))
    died, dead = time.monotonic(), kernel.pid
    # Not before it asks: the driver may give memory back some time after the death.
    refused = 0
    kernel.restart()
    value(kernel, OPEN_CONTEXT)
    while (error := kernel.execute(f"most = context.allocate({most})").error) is not None:
        assert "(2)" in error.message
        assert time.monotonic() - died < 30, f"{most} bytes were refused {refused} times"
        refused += 1
    card.measure("90 % of the card allocated again, s after the death", time.monotonic() - died)
    card.measure("times that it was refused before", refused)
    kernel.shutdown()
    assert card.released(dead, before, "settled after its successor's end, s").listed is False


def test_an_allocation_beyond_the_card_is_refused_and_the_context_lives(card: Card) -> None:
    kernel = card.holder()
    error = kernel.execute(f"context.allocate({1 << 50})").error
    assert error is not None
    assert "CUDA_ERROR_OUT_OF_MEMORY (2)" in error.message
    assert value(kernel, f"context.allocate({MIB}) != 0") is True


def test_an_illegal_address_ruins_the_context_until_the_process_is_replaced(card: Card) -> None:
    kernel = card.holder()
    neighbour = card.holder()
    value(neighbour, "context.store(held, 2.0)")
    said = [kernel.execute(cell).error for cell in (STORE_TO_NULL, MEMORY, f"context.allocate({MIB})")]
    assert ["(700)" in (error.message if error is not None else "") for error in said] == [True] * 3, said
    assert kernel.is_alive
    assert value(kernel, "1 + 1") == 2
    kernel.restart()
    value(kernel, f"{CUDA}\ncontext = _tfkernel_cuda.Context(_tfkernel_cuda.Driver())\ncontext.allocate({MIB})")
    assert value(neighbour, "context.load(held)") == 2.0


@pytest.mark.parametrize("attempt", range(3))
def test_a_neighbour_on_the_same_gpu_keeps_its_memory(card: Card, attempt: int) -> None:
    neighbour, victim = card.holder(), card.holder()
    value(neighbour, "context.store(held, 2.0)")
    value(victim, SPIN)
    kill(victim)
    assert value(neighbour, "context.load(held)") == 2.0
    assert card.lists(neighbour)


def test_an_orphan_with_inherited_handles_is_found_and_named(card: Card, launcher: Launcher) -> None:
    """Whether NVML goes on listing the dead process is the driver's affair: it is recorded."""
    existed, before = baseline(), card.used()
    kernel = card.holder()
    lease = kernel.life.lease
    audited = AuditedKernel(
        kernel.life.process, lease, lambda: OwnProcesses([one.process for one in launcher.supervisor.members(lease)])
    )
    ledger = Ledger(audited, existed)
    ledger.note("the start")
    forked = value(kernel, FORK)
    ledger.note("the fork")
    kill(kernel)
    found = ledger.audit(0.5)
    kinds = {leak.resource.kind for leak in found.leaks}
    assert {Kind.PROCESS, Kind.DEVICE} <= kinds, found
    devices = [leak for leak in found.leaks if leak.resource.kind is Kind.DEVICE]
    assert {holder.process.pid for leak in devices for holder in leak.resource.holders} == {forked}
    card.measure("NVML lists a dead process while its orphan holds the handles (1: yes)", card_lists(card, kernel.pid))
    card.measure("bytes in use above the baseline meanwhile, MiB", (card.used() - before) / MIB)
    kernel.shutdown()
    assert [left.process.pid for left in kernel.left_behind] == [forked]
    assert card.released(kernel.pid, before, "settled after the end of the orphan, s").listed is False


def test_a_fork_of_a_process_with_a_context_can_not_use_it(card: Card) -> None:
    kernel = card.holder()
    assert "CUDA_ERROR_NOT_INITIALIZED (3)" in str(value(kernel, USE_IN_A_FORK))


def test_a_forked_kernel_is_seen_as_a_cold_one_is(card: Card) -> None:
    before = card.used()
    kernel = card.start(timeout=120.0)
    value(kernel, f"{CUDA}\ncontext = _tfkernel_cuda.Context(_tfkernel_cuda.Driver())\ncontext.allocate({MIB})")
    assert card.lists(kernel)
    handles = {os.readlink(f"/proc/{kernel.pid}/fd/{name}") for name in os.listdir(f"/proc/{kernel.pid}/fd")}
    assert [name for name in handles if name.startswith("/dev/nvidia")], handles
    kill(kernel)
    assert card.released(kernel.pid, before, "settled after SIGKILL of a forked kernel, s").listed is False


def card_lists(card: Card, pid: int) -> float:
    return float(any(process.pid == pid for process in card.now().processes or ()))
