"""Under which TensorFlow the user's own tests ran: that of pytest, which needn't be that of the kernels."""

from __future__ import annotations

from pytest_tfkernel.report.compare.pairs import Pairs, Side
from pytest_tfkernel.report.document import Beside, Kernel

Names = tuple[str, str]

ADVICE = (
    "your own tests ran beside the same TensorFlow in both runs: --tfkernel-python is for kernels, so to compare your"
    " tests, run the pytest of each environment"
)


def versions(pairs: Pairs, ref: Side, changed: Side) -> Names:
    """What the two runs are called in the first line: by the versions that differ, or by their documents.

    The versions are those of the kernels, and where only tests are compared, those under which the tests ran.
    """
    mine, theirs = pairs.kernels if has_trials(pairs) else _besides(ref, changed)
    if mine and theirs:
        for names in (tensorflows, pythons):
            if names(mine) != names(theirs):
                return names(mine), names(theirs)
    return ref.name, changed.name


def beside(pairs: Pairs, ref: Side, changed: Side) -> str:
    """What the first line has to add about the tests; empty where it says it already, or there are none."""
    if not pairs.tests:
        return ""
    sides = _besides(ref, changed)
    known = all(sides)
    if known and (not has_trials(pairs) or _are_those_of_kernels(pairs, sides)):
        return ""
    # The Python only matters where nothing else tells them from the kernels.
    of_kernels = tuple(map(tensorflows, pairs.kernels))
    by_python = known and tuple(map(tensorflows, sides)) == of_kernels
    words = [_words(side, by_python=by_python) for side in sides]
    return f"run {', then '.join(dict.fromkeys(words))}"


def advice(pairs: Pairs, ref: Side, changed: Side) -> str:
    """What to do where only the kernels had another TensorFlow; empty where there is nothing to say."""
    if not pairs.tests or not has_trials(pairs):
        return ""
    mine, theirs = _besides(ref, changed)
    kernels = [tensorflows(one) for one in pairs.kernels]
    same = bool(mine and theirs) and tensorflows(mine) == tensorflows(theirs)
    return ADVICE if same and kernels[0] != kernels[1] else ""


def has_trials(pairs: Pairs) -> bool:
    """Whether kernels were compared at all."""
    return bool(pairs.verdicts or pairs.trials)


def tensorflows(interpreters: tuple[Kernel | Beside, ...]) -> str:
    """Their TensorFlows, in words."""
    return ", ".join(dict.fromkeys(one.tensorflow or "no TensorFlow" for one in interpreters))


def pythons(interpreters: tuple[Kernel | Beside, ...]) -> str:
    """Their Pythons, in words."""
    return ", ".join(dict.fromkeys(f"Python {one.python}" for one in interpreters))


def _besides(ref: Side, changed: Side) -> tuple[tuple[Beside, ...], tuple[Beside, ...]]:
    """That of each run; empty in documents of older versions, which don't say it."""
    found = [side.document.environment.pytest for side in (ref, changed)]
    mine, theirs = (() if one is None else (one,) for one in found)
    return mine, theirs


def _are_those_of_kernels(pairs: Pairs, sides: tuple[tuple[Beside, ...], tuple[Beside, ...]]) -> bool:
    return all(
        tensorflows(kernels) == tensorflows(tests) and pythons(kernels) == pythons(tests)
        for kernels, tests in zip(pairs.kernels, sides, strict=True)
    )


def _words(side: tuple[Beside, ...], *, by_python: bool) -> str:
    if not side:
        return "beside a TensorFlow that isn't recorded"
    name = side[0].tensorflow
    tensorflow = f"beside TensorFlow {name}" if name else "without TensorFlow"
    return f"{tensorflow} on {pythons(side)}" if by_python else tensorflow
