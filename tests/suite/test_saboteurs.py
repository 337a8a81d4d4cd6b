"""Every judge has been seen to fail: real kernels that misbehave, and the guarantee that each breaks."""

from __future__ import annotations

import ctypes
import re
import runpy
from pathlib import Path

import pytest

import impatience
from aims import FOLDER, HOSTED, ISOLATION, STATE, Aim, warm as _warm
from pytest_tfkernel.audit.ledger import Eyes
from pytest_tfkernel.audit.probes import PROBES
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.resources import Audit, Kind
from pytest_tfkernel.model.trials import Setting, State
from pytest_tfkernel.suite import observing
from pytest_tfkernel.suite.guarantees import GUARANTEES
from pytest_tfkernel.suite.scenarios import runner_death
from pytest_tfkernel.suite.scenarios.planted import PLANTED, Planted
from pytest_tfkernel.trials import plants, trial
from pytest_tfkernel.trials.stage import Stage

_BY_ID = {guarantee.id: guarantee for guarantee in GUARANTEES}


pytestmark = pytest.mark.usefixtures("tensorflow_python")

AIMS = (
    Aim("keeps_its_graph", "starts-blank", _warm("graph_add", "none"), "began with 1 operations"),
    Aim("opens_a_session", "starts-blank", _warm("graph_add", "none"), "began with a default session"),
    Aim("imports_early", "starts-blank", Setting("subprocess", "graph_add", "none"), "tensorflow imported"),
    Aim("adds_wrongly", "graph-add", _warm("graph_add", "none"), "gave 6.0"),
    Aim("assigns_nothing", "variable-assign", _warm("variable_assign", "none"), "1.0, 1.0]"),
    Aim("multiplies_wrongly", "gpu-matmul", _warm("gpu_matmul", "none"), "off by"),
    Aim("folds_its_product", "gpu-matmul", _warm("gpu_matmul", "none"), "nothing computed when the session ran"),
    Aim("forgets_between_cells", "state-lives-with-process", _warm("variable_assign", "none"), "read 1.0"),
    Aim("dies_of_errors", "error-is-not-death", _warm("variable_assign", "index-error"), "exit code 1"),
    Aim("forgets_on_error", "error-is-not-death", _warm("variable_assign", "index-error"), "closed Session"),
    Aim("exits_with_zero", "script-dies-of-error", _warm("graph_add", "index-error-script"), "exit code 0"),
    Aim("hides_its_traceback", "script-dies-of-error", _warm("graph_add", "index-error-script"), "no traceback"),
    Aim("hides_its_stack", "death-is-explained", _warm("graph_add", "sigsegv"), "no Python stack"),
    Aim("exits_on_sigterm", "death-is-explained", _warm("graph_add", "sigterm"), "exit code 0"),
    Aim("swallows_last_words", "death-is-explained", _warm("graph_add", "sigkill"), "last words"),
    Aim("survives_sigterm", "process-is-new", _warm("graph_add", "sigterm"), "survived sigterm"),
    Aim("keeps_its_graph", "session-is-rebuilt", _warm("graph_add", "sigkill"), "began with 1 operations"),
    Aim("restores_its_variable", "variable-is-reset", _warm("variable_assign", "sigkill"), "2.0, 3.0]"),
    Aim("leaves_an_orphan", "nothing-is-left", _warm("graph_add", "sigkill"), "process "),
    Aim("leaves_a_zombie", "nothing-is-left", _warm("graph_add", "sigkill"), "zombie "),
    Aim("leaves_shared_memory", "nothing-is-left", _warm("graph_add", "sigkill"), "shared-memory /dev/shm/"),
    Aim("leaves_a_semaphore", "nothing-is-left", _warm("graph_add", "sigkill"), "semaphore /dev/shm/"),
    Aim("leaves_a_segment", "nothing-is-left", _warm("graph_add", "sigkill"), "system-v-segment shmid "),
    Aim("leaves_a_socket", "nothing-is-left", _warm("graph_add", "sigkill"), "socket /"),
    Aim("leaves_a_lock", "nothing-is-left", _warm("graph_add", "sigkill"), "lock /"),
    Aim("leaves_a_temporary_file", "nothing-is-left", _warm("graph_add", "sigkill"), "temporary-file /"),
    Aim("leaves_a_thread", "nothing-is-left", _warm("graph_add", "sigkill"), "thread "),
)

# What these leave, nobody removes; resource trackers remove the rest in the end.
_STAYS = {
    "leaves_an_orphan",
    "leaves_a_zombie",
    "leaves_a_segment",
    "leaves_a_socket",
    "leaves_a_lock",
    "leaves_a_temporary_file",
    "leaves_a_thread",
}

# What breaks the rest isn't the startup cell of a kernel that is played.
OTHERS = {
    ("stops_its_supervisor", "runner-death-leaves-nothing"),
    ("adopts_no_orphans", "runner-death-leaves-nothing"),
    ("blind_probe", "audit-is-trusted"),
    ("forks_with_its_context", "no-cuda-context"),
    ("forks_with_its_context", "gpu-is-usable-again"),
}


def remove(audit: Audit | None) -> None:
    """What no end of a process removes."""
    for leak in audit.leaks if audit is not None else ():
        if leak.resource.kind in {Kind.SHARED_MEMORY, Kind.SEMAPHORE}:
            Path(leak.resource.name).unlink()
        if leak.resource.kind is Kind.SEGMENT:
            assert ctypes.CDLL(None).shmctl(int(leak.resource.name.split()[1]), 0, None) == 0


@pytest.mark.parametrize("aim", AIMS, ids=str)
def test_judge_says_fail_of_its_saboteur(
    aim: Aim, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if aim.saboteur in _STAYS:
        impatience.hasten(monkeypatch)
    if aim.saboteur == "survives_sigterm":
        impatience.hasten_survivor(monkeypatch, "sigterm")
    seen = trial.play(aim.setting, stage, aim.spec(tmp_path))
    remove(seen.audit)
    verdict = _BY_ID[aim.guarantee].judge(seen)
    assert verdict.state is State.FAIL, verdict
    assert aim.reason in verdict.reason


# A cold one imports TensorFlow twice: a run of the suite plays it, too.
@pytest.mark.parametrize(
    "setting",
    [
        pytest.param(one, id=str(one), marks=[pytest.mark.soak] * (one.provisioner == "subprocess"))
        for one in sorted({aim.setting for aim in AIMS}, key=str)
    ],
)
def test_the_same_judges_say_pass_of_an_honest_kernel(setting: Setting, stage: Stage) -> None:
    seen = trial.play(setting, stage)
    verdicts = {guarantee.id: guarantee.judge(seen) for guarantee in GUARANTEES if guarantee.applies(setting)}
    assert {verdict.state for verdict in verdicts.values()} == {State.PASS}, verdicts


def test_runner_death_is_seen_to_leave_something(stage: Stage) -> None:
    (setting,) = runner_death.DAEMON.settings
    seen = runner_death.play_with(FOLDER / "stops_its_supervisor.py", setting, stage, KernelSpec())
    verdict = _BY_ID["runner-death-leaves-nothing"].judge(seen)
    assert verdict.state is State.FAIL, verdict
    assert re.search(r"\d of \d alive after \d", verdict.reason)


@pytest.mark.parametrize("number", range(len(PROBES)), ids=[type(probe).__name__ for probe in PROBES])
def test_a_blind_probe_is_not_trusted(number: int, launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    blind = runpy.run_path(str(FOLDER / "blind_probe.py"))["Blind"]()
    eyes = Eyes(probes=[*PROBES[:number], blind, *PROBES[number + 1 :]])
    stage = Stage(launcher)
    monkeypatch.setattr(stage, "planted", plants.harvest(launcher, KernelSpec(), eyes))
    seen = observing.observe(PLANTED.settings[0], stage)
    verdict = _BY_ID["audit-is-trusted"].judge(seen)
    assert verdict.state is State.FAIL, verdict
    assert isinstance(seen, Facts)
    assert isinstance(seen.facts, Planted)
    # What it doesn't find, it doesn't say of a kernel that it isn't there.
    unsure = _BY_ID["nothing-is-left"].judge(trial.play(_warm("graph_add", "sigkill"), stage))
    assert unsure.state is State.UNKNOWN, unsure
    assert all(kind in unsure.reason for kind in seen.facts.missed)


def test_every_guarantee_names_a_saboteur_that_aims_at_it() -> None:
    aims = {(aim.saboteur, aim.guarantee) for aim in (*AIMS, *ISOLATION, *STATE, *HOSTED)} | OTHERS
    assert {(guarantee.control, guarantee.id) for guarantee in GUARANTEES} <= aims


def test_every_saboteur_is_used() -> None:
    used = {aim.saboteur for aim in (*AIMS, *ISOLATION, *STATE, *HOSTED)} | {saboteur for saboteur, _ in OTHERS}
    assert {path.stem for path in FOLDER.glob("*.py")} == used
