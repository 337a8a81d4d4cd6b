"""A trial from its first kernel to its successor, on kernels without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelStartError
from pytest_tfkernel.model.kernels import KernelSpec, Outcome
from pytest_tfkernel.model.processes import Cause, Killer, ProcessId
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.model.trials import Observation, Setting
from pytest_tfkernel.trials import examples, trial
from pytest_tfkernel.trials.examples import Example
from pytest_tfkernel.trials.timeline import Timeline

LIGHT = Example("light", "", 'state = [5.0]\n{"result": 5.0, "details": {"gpus": []}}', "state[0]", 5.0, 5.0)
ON_GPU = Example("on-gpu", "", '{"result": 5.0, "details": {"gpus": ["GPU:0"]}}', "5.0", 5.0, 5.0)
# What it holds is gone when it is asked a second time.
COUNTS = Example("counts", "", 'asked = []\n{"result": 5.0, "details": {}}', "asked.append(1) or len(asked)", 5.0, 1)
FORGETFUL = Example(
    "forgetful", "", 'state = [5.0]\n{"result": 5.0, "details": {}}', "state.pop() if state else 1 / 0", 5.0, 5.0
)
KILLED = Setting("forkserver", "light", "sigkill")
SPEC = KernelSpec(provisioner=ForkServer(preload=()))


@dataclass
class Gpus:
    """Stands for those of the machine; `asked` are the processes that were looked for."""

    harm: str = ""
    names: tuple[str, ...] = ("NVIDIA H100",)
    asked: list[ProcessId] = field(default_factory=list)

    def used_memory(self) -> int:
        return 7

    def lists(self, process: ProcessId) -> bool:
        self.asked.append(process)
        return True


@dataclass
class Stage:
    """Stands for the one that plants leaks first."""

    launcher: Launcher
    gpus: Gpus = field(default_factory=Gpus)
    untrusted: tuple[Kind, ...] = ()

    def prepare(self) -> None:
        pass


@pytest.fixture
def play(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Observation]:
    """Play a light trial; nothing of it runs afterwards."""
    monkeypatch.setattr(examples, "LOOK", '{"imported": False, "operations": 0, "session": False}')
    monkeypatch.setattr(examples, "COUNT_OPERATIONS", "2")
    monkeypatch.setattr(
        examples, "find", lambda name: {one.name: one for one in (LIGHT, ON_GPU, FORGETFUL, COUNTS)}[name]
    )
    started: list[Kernel] = []
    start = Launcher.start

    def note(launcher: Launcher, spec: KernelSpec | None = None) -> Kernel:
        started.append(start(launcher, spec))
        return started[-1]

    monkeypatch.setattr(Launcher, "start", note)

    def play(setting: Setting = KILLED, spec: KernelSpec = SPEC, **stage: object) -> Observation:
        try:
            return trial.play(setting, Stage(launcher, **stage), spec)  # type: ignore[arg-type]
        finally:
            assert [kernel.is_shut_down for kernel in started] == [True] * len(started)
            assert [launcher.supervisor.members(kernel.life.lease) for kernel in started] == [[]] * len(started)

    return play


def test_all_of_a_death_is_seen(play: Callable[..., Observation]) -> None:
    seen = play()
    assert seen.outcome is not None
    assert seen.outcome.post_mortem is not None
    assert (seen.outcome.post_mortem.cause, seen.outcome.post_mortem.killer) == (Cause.SIGNAL, Killer.US)
    assert examples.LAST_WORDS in seen.outcome.post_mortem.stdout
    assert examples.LAST_WORDS in seen.outcome.post_mortem.stderr
    assert seen.old_is_gone is True
    assert seen.audit is not None
    assert (seen.audit.leaks, seen.audit.blind, seen.untrusted) == ((), (), ())
    assert seen.second is not None
    assert seen.second.process != seen.first.process == seen.outcome.post_mortem.process
    for one in (seen.first, seen.second):
        assert (one.imported, one.operations_before, one.session, one.error) == (False, 0, False, "")
        assert (one.result, one.operations_after, one.again, one.on_gpu) == (5.0, 2, 5.0, None)
    assert (seen.not_possible, seen.no_restart, seen.after_fault_error) == ("", "", "")


def test_its_moments_are_in_order_and_say_what_a_living_kernel_holds(play: Callable[..., Observation]) -> None:
    moments = play().timeline
    cells = [moment.name for moment in moments if moment.name != "cell"]
    assert cells == ["started", "fault", "death", "noticed", "settled", "restarted", "rebuilt"]
    held = {moment.name: moment.memory is not None for moment in moments}
    assert [name for name, has in held.items() if not has] == ["death", "noticed", "settled"]
    assert {moment.gpu_memory for moment in moments} == {7, None}


def test_a_process_that_nobody_reaps_is_not_gone(
    play: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[ProcessId] = []

    def exists(process: ProcessId) -> bool:
        looked.append(process)
        return True

    monkeypatch.setattr(trial, "_exists", exists)
    seen = play()
    assert (seen.old_is_gone, looked) == (False, [seen.first.process])


def test_a_zombie_exists_until_it_is_waited_for() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    process = ProcessId(pid, proc.start_time(pid) or 0)
    assert trial._exists(process)
    assert not trial._exists(ProcessId(pid, process.start_time - 1))
    os.waitpid(pid, 0)
    assert not trial._exists(process)


def test_what_is_left_of_the_first_kernel_is_seen(play: Callable[..., Observation], escape: str) -> None:
    seen = play(
        spec=KernelSpec(
            provisioner=ForkServer(preload=()), startup=f"def leave():\n    exec({escape!r}, {{}})\nleave()"
        )
    )
    assert seen.audit is not None
    assert [leak.resource.kind for leak in seen.audit.leaks] == [Kind.PROCESS]
    assert "sleep 62" in str(seen.audit.leaks[0])


def test_what_the_audit_does_not_find_here_is_told(play: Callable[..., Observation]) -> None:
    assert play(untrusted=(Kind.LOCK,)).untrusted == (Kind.LOCK,)


def test_a_missed_phase_is_played_three_times_and_is_not_possible_then(
    play: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def inject(kernel: Kernel, fault: object, *, phase: str) -> Outcome:
        tries.append(phase)
        return Outcome("sigkill", None, None, phase, in_phase=False)

    monkeypatch.setattr(Kernel, "inject", inject)
    seen = play(Setting("forkserver", "light", "sigkill", "running"))
    assert tries == ["running"] * 3
    assert seen.outcome is None
    assert seen.not_possible == "phase 'running' was missed 3 times: the kernel had left it when the fault struck"


def test_a_phase_that_was_met_is_played_once(play: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[bool] = []
    inject = Kernel.inject

    def inject_late(kernel: Kernel, fault: str, *, phase: str) -> Outcome:
        tries.append(len(tries) > 0)
        if not tries[-1]:
            return Outcome("sigkill", None, None, phase, in_phase=False)
        return inject(kernel, fault, phase=phase)

    monkeypatch.setattr(Kernel, "inject", inject_late)
    assert play().outcome is not None
    assert tries == [False, True]


def test_without_a_fault_there_is_one_kernel(play: Callable[..., Observation]) -> None:
    seen = play(Setting("forkserver", "light", "none"))
    assert (seen.outcome, seen.second, seen.audit, seen.first.again) == (None, None, None, 5.0)


def test_an_example_that_fails_is_not_struck(play: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "COUNT_OPERATIONS", "1 / 0")
    seen = play()
    assert seen.first.error == "ZeroDivisionError: division by zero"
    assert (seen.outcome, seen.second, seen.audit) == (None, None, None)


def test_what_a_fault_that_it_survives_leaves_is_asked_of_the_same_process(play: Callable[..., Observation]) -> None:
    seen = play(Setting("forkserver", "light", "index-error"))
    assert seen.outcome is not None
    assert seen.outcome.reply is not None
    assert (seen.process_after_fault, seen.after_fault, seen.second) == (seen.first.process, 5.0, None)


def test_what_it_says_after_a_fault_is_not_what_it_had_said_before(play: Callable[..., Observation]) -> None:
    seen = play(Setting("forkserver", "counts", "index-error"))
    assert (seen.first.again, seen.after_fault) == (1, 2)


def test_a_session_that_is_lost_by_a_fault_is_told(play: Callable[..., Observation]) -> None:
    seen = play(Setting("forkserver", "forgetful", "index-error"))
    assert (seen.first.again, seen.after_fault, seen.process_after_fault) == (5.0, None, None)
    assert seen.after_fault_error == "ZeroDivisionError: division by zero"


def test_a_kernel_that_does_not_start_again_is_told(
    play: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def restart(kernel: Kernel, *, asked: bool = True) -> None:
        raise KernelStartError("out of processes")

    monkeypatch.setattr(Kernel, "restart", restart)
    seen = play()
    assert (seen.second, seen.no_restart) == (None, "out of processes")
    assert seen.old_is_gone


def test_no_kernel_is_killed_where_that_harms_others(play: Callable[..., Observation]) -> None:
    seen = play(gpus=Gpus(harm="MPS is running"))
    assert (seen.outcome, seen.not_possible, seen.second) == (None, "MPS is running", None)


def test_what_a_kernel_survives_harms_nobody(play: Callable[..., Observation]) -> None:
    assert play(Setting("forkserver", "light", "index-error"), gpus=Gpus(harm="MPS is running")).outcome is not None


def test_the_gpu_is_asked_for_the_process_that_used_it(play: Callable[..., Observation]) -> None:
    gpus = Gpus()
    seen = play(Setting("forkserver", "on-gpu", "sigkill"), gpus=gpus)
    assert seen.second is not None
    assert gpus.asked == [seen.first.process, seen.second.process]
    assert (seen.first.on_gpu, seen.second.on_gpu) == (True, True)
    assert seen.first.gpus == ("NVIDIA H100",)


def test_where_no_gpu_can_matter_none_is_looked_for(play: Callable[..., Observation]) -> None:
    assert play(Setting("forkserver", "forgetful", "none")).first.gpus == ()


def test_a_kernel_that_dies_before_the_fault_is_no_evidence(
    play: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "SPEAK", "import os; os._exit(4)")
    seen = play()
    assert "could not be used before the fault" in seen.not_possible
    assert (seen.outcome, seen.second) == (None, None)


def test_the_kernel_ends_whatever_goes_wrong(play: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Kernel, "inject", break_down)
    with pytest.raises(RuntimeError, match="broken"):
        play()


def test_the_provisioner_is_that_of_the_setting(play: Callable[..., Observation], launcher: Launcher) -> None:
    before = launcher.makers["subprocess"].cold_starts
    assert play(Setting("subprocess", "light", "sigkill"), KernelSpec()).second is not None
    assert launcher.makers["subprocess"].cold_starts == before + 2


@pytest.mark.parametrize(("phase", "generation"), [("importing", 2), ("running", 1)])
def test_what_strikes_a_cold_kernel_strikes_one_that_has_run_nothing(
    play: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch, phase: str, generation: int
) -> None:
    struck: list[int] = []

    def inject(kernel: Kernel, fault: object, *, phase: str) -> Outcome:
        struck.append(kernel.generation)
        return Outcome("sigkill", None, None, phase, in_phase=True)

    monkeypatch.setattr(Kernel, "inject", inject)
    play(Setting("subprocess", "light", "sigkill", phase), KernelSpec())
    assert struck == [generation]


@pytest.mark.parametrize("hosted", [True, False])
def test_a_kernel_with_a_manager_of_its_own_is_awaited_and_not_asked(
    play: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch, hosted: bool
) -> None:
    asked: list[bool] = []

    def restart(kernel: Kernel, **keywords: bool) -> None:
        asked.append(keywords.get("asked", True))
        raise KernelStartError("no more")

    monkeypatch.setattr(Life, "is_managed", property(lambda _: hosted))
    # A host is told apart by it elsewhere, too.
    monkeypatch.setattr(Kernel, "restart", restart)
    play()
    assert asked == [not hosted]


def test_the_moment_of_a_death_is_that_of_the_linux_kernel(
    play: Callable[..., Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    times: dict[str, float | None] = {}
    reached = Timeline.reached

    def note(timeline: Timeline, name: str, process: ProcessId | None = None, at: float | None = None) -> None:
        times[name] = at
        reached(timeline, name, process, at)

    monkeypatch.setattr(Timeline, "reached", note)
    assert play().outcome is not None
    assert times["death"] is not None
    assert [name for name, at in times.items() if at is not None] == ["death"]
