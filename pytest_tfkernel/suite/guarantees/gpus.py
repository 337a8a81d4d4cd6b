"""What must hold of the GPU when a kernel that used it has died."""

from __future__ import annotations

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.suite.guarantees.applicability import has_example_of
from pytest_tfkernel.suite.guarantees.base import guarantee
from pytest_tfkernel.suite.scenarios.gpu import NAME, Handover, Release

# What contexts of others, and the driver's own tables, may add or free meanwhile.
_SLACK = 8 << 20
# TensorFlow takes a part of what is free: a little less is free when the driver has grown.
_ENOUGH = 0.95


@guarantee(
    "no-cuda-context",
    where=f"trials of `{NAME}`",
    applies=has_example_of(NAME),
    control="forks_with_its_context",
)
def no_cuda_context(seen: Facts[Handover]) -> Verdict:
    """NVML no longer lists the dead process, and memory in use is back at its baseline; it took the time recorded."""
    if seen.error:
        return Verdict.unknown(seen.error)
    held, release = seen.facts.held, seen.facts.release
    if not held.listed:
        return Verdict.unknown("NVML did not list the kernel while it lived: that it doesn't now would prove nothing")
    if release.error:
        return Verdict.unknown(release.error)
    if release.listed:
        return Verdict.failed(f"NVML still lists the dead process, {release.seconds:.1f} s after its death")
    return _memory(release)


def _memory(release: Release) -> Verdict:
    seconds, baseline, used = release.seconds, release.baseline, release.used
    if baseline is None or used is None:
        return Verdict.passed(_released(seconds), f"memory is no evidence here: {release.advisory}")
    if used > baseline + _SLACK:
        return Verdict.failed(f"{used - baseline} bytes more are in use than before, {seconds:.1f} s after the death")
    return Verdict.passed(_released(seconds), f"memory back at {baseline} bytes")


def _released(seconds: float) -> str:
    return f"not listed after {seconds:.3f} s"


@guarantee(
    "gpu-is-usable-again",
    where=f"trials of `{NAME}`",
    applies=has_example_of(NAME),
    control="forks_with_its_context",
)
def gpu_is_usable_again(seen: Facts[Handover]) -> Verdict:
    """The next kernel computes on the GPU, and holds as much of it as the dead one did."""
    if seen.error:
        return Verdict.unknown(seen.error)
    held, again, release = seen.facts.held, seen.facts.again, seen.facts.release
    if not held.listed:
        return Verdict.unknown("NVML did not list the first kernel, so there is nothing to compare with")
    if again.error and release.error:
        # A GPU that is lost can't be used by anybody: no kernel has left that behind.
        return Verdict.unknown(f"{release.error}; the next kernel could not use the GPU: {again.error}")
    if again.error:
        return Verdict.failed(f"the next kernel could not use the GPU: {again.error}")
    if not again.listed:
        return Verdict.failed("the next kernel computed, but NVML doesn't list it on the GPU")
    if not held.memory or not again.memory:
        return Verdict.unknown("it computed on the GPU, but NVML doesn't say here how much a process holds")
    if again.memory < held.memory * _ENOUGH:
        return Verdict.failed(f"the next kernel got {again.memory} bytes, and the dead one held {held.memory}")
    return Verdict.passed(f"{again.memory} bytes again, of {held.memory}")
