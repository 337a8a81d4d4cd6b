"""Each state of a machine with GPUs has its verdicts, and docs/gpu.md says which."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from card import release
from driver_stub import DriverStub
from gpu_states import GPU_STATES, GpuState, Told
from pytest_tfkernel.audit.gpu import bare
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.trials import State, Verdict
from pytest_tfkernel.suite.guarantees.gpus import gpu_is_usable_again, no_cuda_context

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(state: GpuState, stub: DriverStub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launcher]:
    """On the machine of this state: a launcher of its own, since a supervisor has the environment of its start."""
    for name in ("LD_LIBRARY_PATH", "TFKERNEL_STUB"):
        monkeypatch.setenv(name, stub.environment[name])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if state.visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", state.visible)
    stub.write(*state.machine)
    with Launcher() as launcher:
        yield launcher


@pytest.fixture
def gpus(here: Launcher, tmp_path: Path) -> Iterator[Gpus]:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidia0").touch()
    gpus = Gpus(here, devices=tmp_path / "dev")
    yield gpus
    gpus.close()


def check(verdict: Verdict, told: Told) -> None:
    assert verdict.state is told.state, verdict
    if told.state is not State.PASS:
        assert told.reason in verdict.reason


def test_the_page_has_the_same_states() -> None:
    rows = [line for line in (ROOT / "docs/gpu.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    first = rows.index(GPU_STATES[0].row())
    assert rows[first : first + len(GPU_STATES)] == [state.row() for state in GPU_STATES]


def test_an_unprivileged_user_sees_the_same(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("we are an ordinary user: the other tests show it")
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv: install util-linux")
    # Root without a capability is refused what an ordinary user is refused.
    become = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    chosen = f"{__file__}::{test_a_state_has_its_verdicts.__name__}[{GPU_STATES[0].title}]"
    done = subprocess.run(
        [*become, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'inner'}", chosen],
        cwd=ROOT,
        # Else it would compile what is there: see `pytest_configure` of tests/conftest.py.
        env={name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("state", GPU_STATES, ids=lambda state: state.title)
def test_a_state_has_its_verdicts(state: GpuState, gpus: Gpus, here: Launcher) -> None:
    seen = release(gpus, here, "sigkill", state.startup, state.seconds)
    check(no_cuda_context.judge(seen), state.released)
    check(gpu_is_usable_again.judge(seen), state.usable)
    if state.released.state is State.PASS:
        assert bare(gpus.calibration.visible[0]) == bare(state.on)
