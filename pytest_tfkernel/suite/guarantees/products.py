"""What must hold of a matrix product, and of where it was computed."""

from __future__ import annotations

from typing import Any

from pytest_tfkernel.model.trials import Generation, Observation, Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.guarantees.life import gives_result
from pytest_tfkernel.trials import placement

# float32 keeps 24 bits; a sum of 1000 products loses some of them. TF32 and bfloat16 lose far more.
_MATMUL_ERROR = 1e-4
# How the first entry of CUDA_VISIBLE_DEVICES names a device. Anything else ends the list.
_NAMES = tuple("0123456789GM")


@guarantee(
    "gpu-matmul",
    where="trials of `gpu_matmul`",
    applies=has_example_of("gpu_matmul"),
    control="multiplies_wrongly",
)
def gpu_matmul(seen: Observation) -> Verdict:
    """A (1000, 1000) product agrees with NumPy's float64; where there is a GPU, it computes it, and NVML sees it."""
    verdict = gives_result(seen)
    if verdict.state is not verdict.state.PASS:
        return verdict
    details = seen.first.details or {}
    error = details["error"]
    if not error <= _MATMUL_ERROR:
        return Verdict.failed(f"the product is off by {error:.1e} of its largest element, more than {_MATMUL_ERROR}")
    run = details.get("ran")
    if not run:
        return Verdict.unknown("the product agrees, but the run doesn't tell what computed, and where")
    if folded := placement.folded(run):
        return Verdict.failed(folded)
    return _on_gpu(seen.first, details) if details["gpus"] else _on_cpu(seen.first, details)


def _on_gpu(seen: Generation, details: dict[str, Any]) -> Verdict:
    gpus, run = details["gpus"], details["ran"]
    if elsewhere := placement.not_on(gpus, run):
        return Verdict.failed(elsewhere)
    products = placement.products(run)
    if not products:
        return Verdict.unknown(f"the product agrees, but none is among what ran: {placement.ops(run)}")
    if seen.on_gpu is None:
        return Verdict.unknown(f"the product agrees, but NVML can't show that it was computed on {products[0]}")
    if not seen.on_gpu:
        return Verdict.failed(f"TensorFlow says {products[0]}, but NVML doesn't list the process on a GPU")
    return Verdict.passed(f"on {products[0]}, where NVML saw the process; error {details['error']:.1e}")


def _on_cpu(seen: Generation, details: dict[str, Any]) -> Verdict:
    if not placement.products(details["ran"]):
        return Verdict.unknown(f"the product agrees, but none is among what ran: {placement.ops(details['ran'])}")
    visible = details.get("visible")
    if not seen.gpus:
        return Verdict.passed(f"on the CPU, since TensorFlow lists no GPU; error {details['error']:.1e}")
    if visible is not None and not visible.strip().startswith(_NAMES):
        return Verdict.passed(f"on the CPU, since CUDA_VISIBLE_DEVICES hides the GPU; error {details['error']:.1e}")
    if not details["cuda"]:
        return Verdict.unknown("on the CPU, though a GPU is there: this TensorFlow is built without CUDA", seen.gpus[0])
    reason = "on the CPU, though a GPU is there: TensorFlow lists none, and its log says why"
    return Verdict.failed(reason, seen.gpus[0])
