"""How a fault strikes, by faults and phases made for it; kernels are light."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

from pytest_tfkernel.kernels import striking
from pytest_tfkernel.kernels.faults.fault import BySignal, Fault
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.phases import EXITING, Phase, find
from pytest_tfkernel.model.errors import FaultError
from pytest_tfkernel.model.faults import Dies, Lives
from pytest_tfkernel.model.kernels import KernelSpec, Outcome, Reply
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer
from pytest_tfkernel.processes.waits import Event

StartKernel = Callable[..., Kernel]
SECONDS = 30.0
DIES = Dies(ExitStatus(signal=signal.SIGKILL), Cause.SIGNAL, Killer.US)
KILL = Fault("kill", "a kill", BySignal(signal.SIGKILL), DIES, signal=signal.SIGKILL)
# Does nothing to a process.
NUDGE = replace(KILL, name="nudge", strike=BySignal(signal.SIGWINCH), signal=signal.SIGWINCH, seconds=0.1)
INTERRUPT = Fault(
    "interrupt", "Ctrl-C", BySignal(signal.SIGINT), Lives(("KeyboardInterrupt",)), signal=signal.SIGINT, seconds=0.1
)
WAITS = Phase("waiting", "in a cell that waits", "_tfkernel_mark('in')\nwhile True: pass")


class TestIdle:
    def test_a_death_is_waited_for(self, kernel: Kernel) -> None:
        outcome = striking.strike_idle(kernel.life, KILL, lambda: kernel.signal(signal.SIGKILL))
        assert (outcome.fault, outcome.reply, outcome.phase, outcome.in_phase) == ("kill", None, "idle", None)
        assert outcome.post_mortem is not None
        assert str(outcome.post_mortem.exit_status) == "SIGKILL"

    def test_a_death_in_its_cell_is_the_outcome(self, kernel: Kernel) -> None:
        outcome = striking.strike_idle(kernel.life, KILL, lambda: kernel.execute("import os; os.abort()"))
        assert outcome.post_mortem is kernel.life.post_mortem is not None

    def test_one_that_does_not_die_has_no_post_mortem(self, kernel: Kernel) -> None:
        outcome = striking.strike_idle(kernel.life, NUDGE, lambda: kernel.signal(signal.SIGWINCH))
        assert (outcome.reply, outcome.post_mortem) == (None, None)
        assert kernel.execute("1").value == 1

    @pytest.mark.parametrize("cell", ["1", "1 / 0"])
    def test_a_reply_is_part_of_it(self, kernel: Kernel, cell: str) -> None:
        outcome = striking.strike_idle(kernel.life, INTERRUPT, lambda: kernel.execute(cell))
        assert outcome.reply is not None
        assert (outcome.reply.ok, outcome.post_mortem) == (cell == "1", None)

    @pytest.mark.parametrize(("cell", "waits"), [("1", True), ("1 / 0", False)])
    def test_after_an_error_no_death_is_waited_for(
        self, kernel: Kernel, cell: str, monkeypatch: pytest.MonkeyPatch, *, waits: bool
    ) -> None:
        waited: list[float] = []
        life = kernel.life
        monkeypatch.setattr(life, "wait", lambda seconds, **_: waited.append(seconds))
        reply = Reply(ok=cell == "1", value=None, stdout="", stderr="", error=None, seconds=0)
        striking.strike_idle(life, NUDGE, lambda: reply)
        assert waited == ([0.1] if waits else [])

    def test_what_returns_no_reply_makes_no_sense(self, kernel: Kernel) -> None:
        with pytest.raises(FaultError, match="fault 'kill' struck with 7: `strike` must return a Reply"):
            striking.strike_idle(kernel.life, KILL, lambda: 7)  # type: ignore[arg-type,return-value]


class TestSignal:
    def test_a_fault_by_cell_strikes_idle_kernels_only(self) -> None:
        with pytest.raises(FaultError, match="kill strikes through a cell, and a kernel in phase 'running' runs none"):
            striking.signal_for(replace(KILL, signal=None), find("running"), KernelSpec())

    @pytest.mark.parametrize("provisioner", ["forkserver", "jupyter"])
    def test_a_warm_kernel_does_not_import(self, provisioner: str) -> None:
        with pytest.raises(FaultError, match=f"provisioner='subprocess', not '{provisioner}'"):
            striking.signal_for(KILL, find("importing"), KernelSpec(provisioner=provisioner))

    @pytest.mark.parametrize(("phase", "provisioner"), [("importing", "subprocess"), ("running", "forkserver")])
    def test_all_else_goes_together(self, phase: str, provisioner: str) -> None:
        assert striking.signal_for(KILL, find(phase), KernelSpec(provisioner=provisioner)) is signal.SIGKILL


class TestPhase:
    def strike(self, kernel: Kernel, phase: Phase, fault: Fault) -> Outcome:
        assert fault.signal is not None
        return striking.strike_in(phase, kernel.life, fault, fault.signal, SECONDS)

    def test_a_kernel_that_dies_there_was_struck_there(self, kernel: Kernel) -> None:
        outcome = self.strike(kernel, WAITS, KILL)
        assert (outcome.reply, outcome.phase, outcome.in_phase) == (None, "waiting", True)
        assert outcome.post_mortem is not None
        assert outcome.post_mortem.last_cell == WAITS.cell

    def test_one_that_lives_on_was_struck_there(self, kernel: Kernel) -> None:
        outcome = self.strike(kernel, WAITS, INTERRUPT)
        assert outcome.reply is not None
        assert outcome.reply.error is not None
        assert (outcome.reply.error.type, outcome.in_phase, outcome.post_mortem) == ("KeyboardInterrupt", True, None)

    def test_one_that_never_came_there_was_not_struck(self, kernel: Kernel) -> None:
        outcome = self.strike(kernel, replace(WAITS, cell="1 / 0"), KILL)
        assert outcome.reply is not None
        assert (outcome.in_phase, outcome.post_mortem, kernel.is_alive) == (False, None, True)

    def test_one_that_only_left_it_was_not_struck(self, kernel: Kernel) -> None:
        outcome = self.strike(kernel, replace(WAITS, cell="_tfkernel_mark('out')"), INTERRUPT)
        assert (outcome.in_phase, kernel.is_alive) == (False, True)

    def test_one_that_should_have_died_and_has_answered_was_late(self, kernel: Kernel) -> None:
        outcome = self.strike(kernel, replace(WAITS, cell="_tfkernel_mark('in')"), NUDGE)
        assert (outcome.in_phase, outcome.post_mortem, kernel.is_alive) == (False, None, True)

    def test_a_death_after_the_answer_is_told_as_late(self, kernel: Kernel) -> None:
        life = kernel.life
        reply_first = life.reply

        def reply(*arguments: object) -> Reply:
            # It has answered: now it dies.
            found = reply_first(*arguments)  # type: ignore[arg-type]
            life.signal(signal.SIGKILL)
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(life, "reply", reply)
            outcome = self.strike(kernel, replace(WAITS, cell="_tfkernel_mark('in')"), replace(NUDGE, seconds=SECONDS))
        assert outcome.reply is not None
        assert outcome.in_phase is False
        assert outcome.post_mortem is not None

    def test_a_folder_is_there_for_the_cell_and_gone_afterwards(self, kernel: Kernel) -> None:
        cell = "import os\nfolder = {folder!r}\n_tfkernel_mark('in')\n(folder, os.path.isdir(folder))"
        outcome = self.strike(kernel, replace(WAITS, cell=cell), replace(INTERRUPT, signal=signal.SIGWINCH))
        assert outcome.reply is not None
        folder, was_there = outcome.reply.value
        assert (was_there, kernel.execute(f"os.path.exists({folder!r})").value) == (True, False)
        assert kernel.life.temporary.parent.as_posix() == folder.rpartition("/")[0]

    def test_leaving_is_asked_for(self, kernel: Kernel) -> None:
        cell = """
import atexit, signal
mark = _tfkernel_mark
atexit.register(lambda: (mark("in"), signal.pause()))
"""
        outcome = self.strike(kernel, Phase(EXITING, "", cell), KILL)
        assert outcome.reply is not None
        assert (outcome.in_phase, outcome.post_mortem is not None) == (True, True)


class TestStart:
    def test_a_signal_that_does_nothing_is_told_of(self, kernel: Kernel) -> None:
        outcome = kernel.inject(NUDGE, phase="starting")
        assert (outcome.phase, outcome.in_phase) == ("starting", True)
        assert outcome.post_mortem is not None
        assert outcome.post_mortem.note == "it did not die of nudge while it started, so it was ended"

    def test_a_kernel_that_has_spoken_was_not_struck_there(self, kernel: Kernel) -> None:
        life = kernel.life
        life.send({"kind": "execute", "cell": "1", "interactive": True})
        assert life.wait(SECONDS) is Event.READABLE
        outcome = striking.strike_at_start(life, KILL, signal.SIGKILL)
        assert outcome.post_mortem is not None
        assert outcome.in_phase is False
