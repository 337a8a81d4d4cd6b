"""The judge of matrix products, on observations written by hand: what no machine without a GPU shows."""

from __future__ import annotations

import dataclasses

import pytest

from observations import CPU, DETAILS, honest_trial
from pytest_tfkernel.model.trials import Observation, Setting, State, Verdict
from pytest_tfkernel.suite.guarantees.products import gpu_matmul
from pytest_tfkernel.trials import placement

MATMUL = Setting("forkserver", "gpu_matmul", "none")
GPU = CPU.replace("CPU", "GPU")
FOLDED = [["Const", CPU], ["_Retval", CPU]]
# What TensorFlow is told to run, when a fed product runs on a GPU and is wanted on the CPU.
ON_GPU = [["_Arg", CPU], ["_Send", CPU], ["_Recv", GPU], ["MatMul", GPU], ["_Send", GPU], ["_Recv", CPU]]
CARD = ("NVIDIA H200", "NVIDIA L4")


def seen(on_gpu: bool | None = None, there: tuple[str, ...] = (), **details: object) -> Observation:
    """`there` are the GPUs of the machine, and `gpus` of the details those that TensorFlow lists."""
    trial = honest_trial(MATMUL)
    changed = dataclasses.replace(trial.first, on_gpu=on_gpu, gpus=there, details={**DETAILS, **details})
    return dataclasses.replace(trial, first=changed)


def judge(observation: Observation) -> Verdict:
    return gpu_matmul.judge(observation)


def test_another_shape_fails() -> None:
    other = seen(error=None)
    verdict = judge(dataclasses.replace(other, first=dataclasses.replace(other.first, result=[1000])))
    assert verdict.state is State.FAIL


@pytest.mark.parametrize("error", [1e-3, float("nan"), float("inf")])
def test_a_product_that_is_off_fails(error: float) -> None:
    assert judge(seen(error=error)).state is State.FAIL


@pytest.mark.parametrize("gpus", [[], [GPU]], ids=["cpu", "gpu"])
@pytest.mark.parametrize("on_gpu", [True, False, None])
def test_a_folded_product_fails_wherever_it_is(gpus: list[str], on_gpu: bool | None) -> None:
    verdict = judge(seen(on_gpu=on_gpu, gpus=gpus, ran=FOLDED))
    assert verdict.state is State.FAIL
    assert "nothing computed when the session ran (Const, _Retval)" in verdict.reason


@pytest.mark.parametrize("gpus", [[], [GPU]], ids=["cpu", "gpu"])
@pytest.mark.parametrize("ran", [None, []])
def test_a_run_that_tells_nothing_is_unknown(gpus: list[str], ran: list[list[str]] | None) -> None:
    verdict = judge(seen(on_gpu=True, gpus=gpus, ran=ran))
    assert verdict == Verdict.unknown("the product agrees, but the run doesn't tell what computed, and where")


@pytest.mark.parametrize(("on_gpu", "state"), [(True, State.PASS), (False, State.FAIL), (None, State.UNKNOWN)])
def test_a_product_of_a_gpu_is_what_nvml_shows(on_gpu: bool | None, state: State) -> None:
    verdict = judge(seen(on_gpu, gpus=[GPU], ran=ON_GPU))
    assert verdict.state is state
    assert GPU in verdict.reason


@pytest.mark.parametrize("on_gpu", [True, False, None])
@pytest.mark.parametrize("ran", [[["_Arg", CPU], ["MatMul", CPU]], [["PyFunc", CPU]], [*ON_GPU, ["MatMul", CPU]]])
def test_a_product_elsewhere_fails_where_a_gpu_is(on_gpu: bool | None, ran: list[list[str]]) -> None:
    verdict = judge(seen(on_gpu, gpus=[GPU], ran=ran))
    assert verdict == Verdict.failed(f"TensorFlow lists {GPU}, but the product ran on {CPU}")


@pytest.mark.parametrize("gpus", [[], [GPU]], ids=["cpu", "gpu"])
def test_what_may_hold_a_product_is_unknown(gpus: list[str]) -> None:
    verdict = judge(seen(True, gpus=gpus, ran=[["_Arg", CPU], ["_XlaRun", gpus[0] if gpus else CPU]]))
    assert verdict == Verdict.unknown("the product agrees, but none is among what ran: _Arg, _XlaRun")


def test_a_product_on_the_cpu_says_so_where_no_gpu_is() -> None:
    verdict = judge(seen())
    assert verdict.state is State.PASS
    assert "on the CPU, since TensorFlow lists no GPU" in verdict.reason


def test_a_tensorflow_that_lists_no_gpu_where_one_is_fails() -> None:
    verdict = judge(seen(there=CARD, cuda=True))
    assert verdict.state is State.FAIL
    assert "TensorFlow lists none" in verdict.reason
    assert verdict.given == "NVIDIA H200"


def test_a_tensorflow_that_can_not_use_a_gpu_is_unknown_where_one_is() -> None:
    verdict = judge(seen(there=CARD, cuda=False))
    assert verdict.state is State.UNKNOWN
    assert "built without CUDA" in verdict.reason
    assert verdict.given == "NVIDIA H200"


@pytest.mark.parametrize("visible", ["", " ", "-1", "NoDevFiles"])
def test_a_kernel_that_is_kept_from_the_gpu_may_use_the_cpu(visible: str) -> None:
    verdict = judge(seen(there=CARD, cuda=True, visible=visible))
    assert verdict.state is State.PASS
    assert "CUDA_VISIBLE_DEVICES hides the GPU" in verdict.reason


@pytest.mark.parametrize("visible", ["0", "1,0", "GPU-0123", "MIG-0123", None])
def test_a_kernel_that_is_given_a_gpu_may_not(visible: str | None) -> None:
    assert judge(seen(there=CARD, cuda=True, visible=visible)).state is State.FAIL


def test_a_device_is_told_without_its_job() -> None:
    assert placement.short(GPU) == "/device:GPU:0"
    assert placement.short("elsewhere") == "elsewhere"
