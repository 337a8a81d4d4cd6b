"""A signal strikes a kernel in a phase, and the outcome says whether it was there."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.faults.menu import find as find_fault
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.kernels.phases import PHASES, Phase, find
from pytest_tfkernel.kernels.striking import strike_in
from pytest_tfkernel.model.errors import FaultError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.trials import examples

StartKernel = Callable[..., Kernel]
_BY_CELL = [phase for phase in PHASES if phase.cell and phase.needs != "cold"]


@pytest.fixture(scope="module")
def tensorflow_kernel(launcher: Launcher, tensorflow_python: str) -> Iterator[Kernel]:
    kernel = launcher.start(KernelSpec(python=tensorflow_python))
    yield kernel
    kernel.shutdown(now=True)


@pytest.mark.parametrize("phase", _BY_CELL, ids=lambda phase: phase.name)
def test_a_kernel_is_killed_in_its_phase(tensorflow_kernel: Kernel, phase: Phase) -> None:
    if not tensorflow_kernel.is_alive:
        tensorflow_kernel.restart()
    tensorflow_kernel.execute(examples.LOOK)
    tensorflow_kernel.execute(examples.find("variable_assign").run)
    outcome = tensorflow_kernel.inject("sigkill", phase=phase.name)
    assert outcome.in_phase is True
    assert outcome.phase == phase.name
    assert outcome.reply is None or phase.name == "exiting"
    assert outcome.post_mortem is not None
    assert str(outcome.post_mortem.exit_status) == "SIGKILL"


def test_running_is_inside_session_run(tensorflow_kernel: Kernel) -> None:
    if not tensorflow_kernel.is_alive:
        tensorflow_kernel.restart()
    died = tensorflow_kernel.inject("sigsegv", phase="running").post_mortem
    assert died is not None
    assert "client/session.py" in died.stack


def test_an_interrupt_while_running_leaves_the_kernel_alive(tensorflow_kernel: Kernel) -> None:
    if not tensorflow_kernel.is_alive:
        tensorflow_kernel.restart()
    tensorflow_kernel.execute(examples.LOOK)
    tensorflow_kernel.execute(examples.find("variable_assign").run)
    outcome = tensorflow_kernel.inject("interrupt", phase="running")
    assert outcome.reply is not None
    assert outcome.reply.error is not None
    assert outcome.reply.error.type == "KeyboardInterrupt"
    assert outcome.in_phase is True
    assert tensorflow_kernel.execute("float(session.run(my_variable))").value == 2.0


def test_an_import_is_struck_in_its_middle(start: StartKernel, tensorflow_python: str) -> None:
    kernel = start(provisioner="subprocess", python=tensorflow_python)
    outcome = kernel.inject("sigill", phase="importing")
    assert outcome.in_phase is True
    assert outcome.post_mortem is not None
    assert "import" in outcome.post_mortem.stack


@pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
def test_starting_strikes_the_next_generation_before_it_speaks(start: StartKernel, provisioner: str) -> None:
    kernel = start(provisioner=provisioner)
    outcome = kernel.inject("sigkill", phase="starting")
    assert (outcome.phase, outcome.in_phase) == ("starting", True)
    assert (kernel.generation, kernel.is_alive) == (2, False)
    assert outcome.post_mortem is not None
    assert outcome.post_mortem.generation == 2
    kernel.restart()
    assert (kernel.generation, kernel.execute("1").value) == (3, 1)


def test_exiting_is_inside_an_atexit_function(kernel: Kernel) -> None:
    outcome = kernel.inject("sigabrt", phase="exiting")
    assert outcome.in_phase is True
    assert outcome.post_mortem is not None
    assert "in leaving" in outcome.post_mortem.stack


def test_a_kernel_that_has_left_a_phase_was_not_struck_in_it(kernel: Kernel) -> None:
    # It says that it left before it says what the signal waits for: in the other order either may be first.
    gone = Phase("gone", "over before the signal", "_tfkernel_mark('out')\n_tfkernel_mark('in')\nwhile True: pass")
    fault = find_fault("sigkill")
    assert fault.signal is not None
    outcome = strike_in(gone, kernel.life, fault, fault.signal, 10)
    assert outcome.in_phase is False
    assert outcome.post_mortem is not None


def test_an_unknown_phase_names_those_there_are(kernel: Kernel) -> None:
    with pytest.raises(FaultError, match="phase 'dancing' is unknown: choose from idle, importing, running"):
        kernel.inject("sigkill", phase="dancing")
    assert kernel.is_alive


def test_a_fault_that_is_a_cell_strikes_an_idle_kernel_only(kernel: Kernel) -> None:
    with pytest.raises(FaultError, match="index-error strikes through a cell, and a kernel in phase 'running' runs"):
        kernel.inject("index-error", phase="running")
    assert kernel.is_alive


def test_a_warm_kernel_cannot_be_importing(kernel: Kernel) -> None:
    with pytest.raises(FaultError, match="phase 'importing' needs a kernel that has not imported TensorFlow"):
        kernel.inject("sigkill", phase="importing")


def test_a_phase_whose_example_is_not_there_was_not_reached(tensorflow_kernel: Kernel) -> None:
    tensorflow_kernel.restart()
    outcome = tensorflow_kernel.inject("sigterm", phase="assigning")
    assert outcome.in_phase is False
    assert outcome.reply is not None
    assert "NameError" in str(outcome.reply.error)


def test_every_phase_can_be_found() -> None:
    assert [find(phase.name) for phase in PHASES] == list(PHASES)


def test_what_was_saved_half_is_removed(
    tensorflow_kernel: Kernel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tensorflow_kernel.restart()
    tensorflow_kernel.inject("sigkill", phase="saving")
    assert list(tmp_path.iterdir()) == []


def test_what_it_is_to_write_goes_with_the_session(launcher: Launcher, kernel: Kernel) -> None:
    phase = Phase("nowhere", "says where it would write", "{folder!r}")
    reply = strike_in(phase, kernel.life, find_fault("sigkill"), signal.SIGKILL, 30.0).reply
    assert reply is not None
    assert launcher.temporary in Path(reply.value).parents
