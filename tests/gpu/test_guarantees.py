"""The guarantees of GPUs, judged on what real contexts show: those of the driver API, without TensorFlow."""

from __future__ import annotations

import pytest

from aims import FOLDER
from card import Card, release
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.trials import State
from pytest_tfkernel.suite.guarantees.gpus import gpu_is_usable_again, no_cuda_context

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("fault", ["sigkill", "cuda-fault"])
def test_a_context_is_gone_and_the_gpu_is_usable_again(card: Card, launcher: Launcher, fault: str) -> None:
    seen = release(card.gpus, launcher, fault)
    assert seen.error == ""
    assert ("(700)" in (seen.facts.said or "")) == (fault == "cuda-fault")
    for judge in (no_cuda_context, gpu_is_usable_again):
        verdict = judge.judge(seen)
        assert verdict.state is State.PASS, verdict
    card.measure(f"released after {fault}, s", seen.facts.release.seconds)


def test_an_orphan_that_keeps_the_context_is_a_failure(card: Card, launcher: Launcher) -> None:
    saboteur = (FOLDER / "forks_with_its_context.py").read_text(encoding="utf-8")
    verdict = no_cuda_context.judge(release(card.gpus, launcher, "sigkill", saboteur, seconds=1.0))
    assert verdict.state is State.FAIL, verdict
    assert "still lists the dead process" in verdict.reason
