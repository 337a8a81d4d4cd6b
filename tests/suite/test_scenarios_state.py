"""Scenarios of state that is kept outside a session, and of sessions outside their process."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import pytest

from aims import STATE, Aim, honest
from facts import saw
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting, State, Verdict
from pytest_tfkernel.suite import observing
from pytest_tfkernel.suite.guarantees import GUARANTEES
from pytest_tfkernel.suite.guarantees.state import (
    checkpoint_outlives,
    live_fork_is_unusable,
    server_state_outlives_client,
)
from pytest_tfkernel.suite.scenarios import Scenario, checkpoint_cells, live_fork
from pytest_tfkernel.suite.scenarios.checkpoint import CHECKPOINTS
from pytest_tfkernel.suite.scenarios.live_fork import LIVE_FORK
from pytest_tfkernel.suite.scenarios.scratch import scratch_folder
from pytest_tfkernel.suite.scenarios.server import SERVER_STATE
from pytest_tfkernel.trials.stage import Stage

SCENARIOS = (*CHECKPOINTS, SERVER_STATE, LIVE_FORK)
_BY_ID = {guarantee.id: guarantee for guarantee in GUARANTEES}


def _judges(setting: Setting) -> list[Any]:
    return [guarantee for guarantee in GUARANTEES if guarantee.applies(setting)]


@pytest.mark.usefixtures("tensorflow_python")
class TestPlayed:
    @pytest.mark.parametrize("setting", honest(setting for one in SCENARIOS for setting in one.settings))
    def test_honest_kernels_pass_and_no_file_is_left(self, setting: Setting, stage: Stage) -> None:
        before = set(Path(tempfile.gettempdir()).iterdir())
        (judge,) = _judges(setting)
        verdict = judge.judge(observing.observe(setting, stage))
        assert verdict.state is State.PASS, verdict
        assert set(Path(tempfile.gettempdir()).iterdir()) <= before

    # The judge by hand is asked for the same words below.
    @pytest.mark.soak
    def test_where_multiprocess_is_missing_the_reason_says_so(self, stage: Stage) -> None:
        spec = KernelSpec(startup="import sys\nsys.modules['multiprocess'] = None")
        (judge,) = _judges(LIVE_FORK.settings[0])
        verdict = judge.judge(observing.observe(LIVE_FORK.settings[0], stage, spec))
        assert verdict.state is State.PASS, verdict
        assert "children by multiprocessing of the standard library" in verdict.given

    @pytest.mark.parametrize("aim", STATE, ids=str)
    def test_judge_says_fail_of_its_saboteur(
        self, aim: Aim, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # What begins anew imports TensorFlow first; the saboteurs are about forks.
        cell, *others = live_fork._FORKS
        few = cell[0].replace(f"for _method in {live_fork.CHILDREN}:", "for _method in ():")
        assert few != cell[0]
        monkeypatch.setattr(live_fork, "_FORKS", ((few, cell[1]), *others))
        monkeypatch.setattr(live_fork, "CHILDREN", ())
        monkeypatch.setattr(live_fork, "BESIDE", ("forkserver",))
        verdict = _BY_ID[aim.guarantee].judge(observing.observe(aim.setting, stage, aim.spec(tmp_path)))
        assert verdict.state is State.FAIL, verdict
        assert aim.reason in verdict.reason


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_facts_that_are_missing_are_unknown_with_the_reason(scenario: Scenario) -> None:
    setting = scenario.settings[0]
    (judge,) = _judges(setting)
    verdict = judge.judge(saw(setting, error="the kernel could not be used"))
    assert (verdict.state, verdict.reason) == (State.UNKNOWN, "the kernel could not be used")
    assert judge.judge(saw(setting)).state is State.UNKNOWN


class TestCheckpointJudge:
    DEATH: ClassVar[dict[str, Any]] = {
        "moment": 0.5,
        "complete": 3,
        "saving": 4,
        "delay": 0.01,
        "save_seconds": 0.02,
        "ended": "SIGKILL",
        "unfinished": ["ckpt-4_temp"],
        "after": {"newest": 3, "read": [3.0, 3.0, 3.0]},
    }

    def judge(self, **changes: Any) -> tuple[State, str]:
        facts = {"moments": [0.5], "deaths": [{**self.DEATH, **changes}]}
        verdict = checkpoint_outlives.judge(saw(CHECKPOINTS[0].settings[0], facts))
        return verdict.state, verdict.said

    def test_the_last_complete_one_or_the_one_being_saved_may_be_read(self) -> None:
        assert self.judge()[0] is State.PASS
        assert self.judge(after={"newest": 4, "read": [4.0, 4.0, 4.0]})[0] is State.PASS

    @pytest.mark.parametrize(
        ("after", "reason"),
        [
            ({"newest": None, "read": None}, "no checkpoint was found, though 3 was complete"),
            ({"newest": 2, "read": [2.0, 2.0, 2.0]}, "checkpoint 2 was found, though 3 was complete"),
            ({"newest": 3, "read": [3.0, 2.0, 3.0]}, "checkpoint 3 was restored to [3.0, 2.0, 3.0]"),
            ({"error": "DataLossError: bad table"}, "could not be restored: DataLossError"),
        ],
    )
    def test_anything_else_is_a_loss(self, after: dict[str, Any], reason: str) -> None:
        state, said = self.judge(after=after)
        assert state is State.FAIL
        assert said.startswith("killed while saving 4: ")
        assert reason in said

    def test_a_missed_save_is_unknown(self) -> None:
        state, reason = self.judge(saving=None, unfinished=[])
        assert (state, reason) == (State.UNKNOWN, "every save was over when it should be struck, at 0.5 of it")

    def test_one_of_two_that_was_missed_is_enough(self) -> None:
        facts = {"moments": [0.25, 0.5], "deaths": [self.DEATH, {**self.DEATH, "moment": 0.25, "saving": None}]}
        verdict = checkpoint_outlives.judge(saw(CHECKPOINTS[0].settings[0], facts))
        assert verdict == Verdict.unknown("every save was over when it should be struck, at 0.25 of it")

    def test_kills_that_left_no_unfinished_file_are_unknown(self) -> None:
        assert self.judge(unfinished=[])[0] is State.UNKNOWN


class TestServerJudge:
    HONEST: ClassVar[dict[str, Any]] = {
        "set": [2.0, 2.0],
        "client_ended": "SIGKILL",
        "found": [2.0, 2.0],
        "server_ended": "SIGKILL",
        "found_after_server": ["FailedPreconditionError", "FailedPreconditionError"],
        "initialised": [1.0, 1.0],
    }

    @pytest.mark.parametrize(
        ("fact", "value", "state"),
        [
            ("found", [2.0, 2.0], State.PASS),
            ("found", [2.0, 1.0], State.FAIL),
            ("found_after_server", [2.0, "FailedPreconditionError"], State.FAIL),
            ("initialised", [2.0, 1.0], State.FAIL),
            ("set", [1.0, 2.0], State.UNKNOWN),
            ("client_ended", None, State.UNKNOWN),
        ],
    )
    def test_each_fact_counts(self, fact: str, value: object, state: State) -> None:
        facts = saw(SERVER_STATE.settings[0], {**self.HONEST, fact: value})
        assert server_state_outlives_client.judge(facts).state is state


class TestLiveForkJudge:
    def judge(self, outcomes: dict[str, str], *, named: bool = True, **changes: Any) -> tuple[State, str]:
        hanging = ("open_session", "new_session", "after_closed_session", "eager")
        said = {"python": "works: 2", **dict.fromkeys(hanging, "hangs"), "eager_small": "works: 5.0", **outcomes}
        forks = {name: {"outcome": one, "named": named and one == "hangs"} for name, one in said.items()}
        children = dict.fromkeys(("spawn", "forkserver"), "works: 5.0")
        facts = {
            "live": [5.0],
            "forks": forks,
            "library": "multiprocess 0.70.19",
            "children": children,
            "beside": {"forkserver": 5.0},
            "left": [],
            "has_sessions": False,
            **changes,
        }
        verdict = live_fork_is_unusable.judge(saw(LIVE_FORK.settings[0], facts))
        return verdict.state, verdict.said

    @pytest.mark.parametrize(("has_sessions", "state"), [(False, State.FAIL), (True, State.PASS)])
    def test_with_the_api_of_tensorflow_1_eager_ops_may_work(self, has_sessions: bool, state: State) -> None:
        assert self.judge({}, has_sessions=has_sessions)[0] is State.PASS
        assert self.judge({"eager": "works: 5.0"}, has_sessions=has_sessions)[0] is state

    def test_what_a_fork_does_is_in_the_reason(self) -> None:
        state, reason = self.judge({"new_session": "aborts: exitcode -6"})
        assert state is State.PASS
        assert "new_session aborts: exitcode -6" in reason

    def test_which_library_made_the_children_is_in_the_reason(self) -> None:
        assert self.judge({})[1].endswith("; children by multiprocess 0.70.19")
        said = "; children by multiprocessing of the standard library: multiprocess isn't installed there"
        assert self.judge({}, library="multiprocessing")[1].endswith(said)

    @pytest.mark.parametrize("fork", ["open_session", "new_session", "after_closed_session", "eager"])
    @pytest.mark.parametrize("said", ["works: 5.0", "error: InternalError"])
    def test_what_is_not_documented_fails(self, fork: str, said: str) -> None:
        state, reason = self.judge({fork: said})
        assert state is State.FAIL
        assert f"{fork} in a fork: {said}" in reason

    @pytest.mark.parametrize(("said", "state"), [("InternalError", State.PASS), ("ValueError", State.FAIL)])
    def test_the_driver_may_refuse_a_fork_on_a_gpu(self, said: str, state: State) -> None:
        assert self.judge({"new_session": f"error: {said}"}, gpus=["NVIDIA H200"])[0] is state

    def test_forks_that_nobody_finds_or_ends_fail(self) -> None:
        assert self.judge({}, named=False)[0] is State.FAIL
        assert self.judge({}, left=["process 12 (python)"])[0] is State.FAIL

    @pytest.mark.parametrize("method", ["spawn", "forkserver"])
    @pytest.mark.parametrize("said", ["hangs", "works: 4.0", "error: ImportError", "aborts: exitcode 1"])
    def test_new_processes_must_work(self, method: str, said: str) -> None:
        children = {"spawn": "works: 5.0", "forkserver": "works: 5.0", method: said}
        state, reason = self.judge({}, children=children)
        assert (state, f"{method} of multiprocess 0.70.19: {said}" in reason) == (State.FAIL, True)

    def test_new_kernels_must_work(self) -> None:
        assert self.judge({}, beside={"subprocess": 4.0})[0] is State.FAIL

    def test_where_forks_do_not_work_at_all_it_is_unknown(self) -> None:
        assert self.judge({"python": "hangs"})[0] is State.UNKNOWN


@pytest.mark.usefixtures("tensorflow_python")
class TestBadFolders:
    """A save that can't be: an error in the reply, the kernel lives, and what was saved before is there."""

    FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
try:
    save(2)
finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""
    # Root may write where it is forbidden to: a file in the place of the folder refuses everybody.
    NO_FOLDER = "import os\nos.rename(folder, folder + '-away')\nopen(folder, 'w').close()\nsave(2)"
    GONE = "import shutil\nshutil.rmtree(folder)\nsave(2)"

    @pytest.fixture(params=sorted(checkpoint_cells.WAYS))
    def saving(self, request: pytest.FixtureRequest, launcher: Launcher, tmp_path: Path) -> Any:
        folder = tmp_path / "checkpoints"
        folder.mkdir()
        kernel = launcher.start(KernelSpec(timeout=60.0))
        assert kernel.execute(checkpoint_cells.prepare(request.param, folder)).ok
        assert kernel.execute("fill(1)\nsave(1)\nfill(2)").ok
        yield kernel
        kernel.shutdown(now=True)

    def test_full(self, saving: Kernel) -> None:
        reply = saving.execute(self.FULL)
        assert reply.error is not None
        assert "File too large" in reply.error.message
        assert saving.execute(checkpoint_cells.RESTORE).value == {"newest": 1, "read": [1.0, 1.0, 1.0]}

    def test_not_writable(self, saving: Kernel) -> None:
        reply = saving.execute(self.NO_FOLDER)
        assert reply.error is not None
        assert "checkpoints" in reply.error.message
        assert saving.execute("os.remove(folder)\nos.rename(folder + '-away', folder)").ok
        assert saving.execute(checkpoint_cells.RESTORE).value == {"newest": 1, "read": [1.0, 1.0, 1.0]}

    def test_gone(self, saving: Kernel) -> None:
        reply = saving.execute(self.GONE)
        # TensorFlow may make the folder again; otherwise it names it.
        assert reply.ok or (reply.error is not None and "checkpoints" in reply.error.message), reply
        assert saving.execute("read()").value == [2.0, 2.0, 2.0]


@pytest.mark.usefixtures("tensorflow_python")
def test_server_whose_port_is_taken_is_refused_and_its_kernel_lives(launcher: Launcher) -> None:
    kernel = launcher.start(KernelSpec(timeout=60.0))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"localhost:{taken.getsockname()[1]}"
        reply = kernel.execute(f"import tensorflow as tf\ntf.distribute.Server({{'local': [{address!r}]}})")
    assert reply.error is not None
    assert "Could not start gRPC server" in reply.error.message
    assert kernel.execute("1 + 1").value == 2
    kernel.shutdown(now=True)


def test_scratch_folder_goes_with_all_that_is_in_it_when_pytest_dies() -> None:
    with Launcher() as launcher:
        context = scratch_folder(launcher)
        folder = context.__enter__()
        (folder / "inner").mkdir()
        (folder / "inner" / "file").touch()
        launcher.supervisor.close()
        assert not folder.exists()
        context.__exit__(None, None, None)


def test_scratch_folder_goes_when_the_script_fails(launcher: Launcher) -> None:
    folders = []

    def script() -> None:
        with scratch_folder(launcher) as folder:
            folders.append(folder)
            (folder / "file").touch()
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        script()
    assert not folders[0].exists()
