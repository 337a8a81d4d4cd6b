"""What belongs together in two documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from pytest_tfkernel.report.compare.differences import CompareError
from pytest_tfkernel.report.compare.states import of_test, of_verdict, worse
from pytest_tfkernel.report.document import Document, Kernel, Setting, Test, Trial, Verdict

T = TypeVar("T")
K = TypeVar("K")


class Place(NamedTuple):
    """A trial, in both documents. `kernel` is None where no label tells trials apart."""

    kernel: str | None
    provisioner: str
    example: str
    fault: str
    phase: str

    def __str__(self) -> str:
        return "-".join(self[1:])


@dataclass(frozen=True)
class Side:
    """One of the two runs. `name` is what people call it; `kernel` the label of the only one to look at, if any."""

    name: str
    document: Document
    kernel: str | None = None

    def shows(self, setting: Setting) -> bool:
        """Whether a trial is looked at."""
        return self.kernel is None or setting.kernel in (self.kernel, None)


@dataclass(frozen=True)
class Pair(Generic[T]):
    """What one thing is in ref and in changed; None where it isn't there."""

    ref: T | None
    changed: T | None


@dataclass(frozen=True)
class Pairs:
    """All pairs. `kernels` are those of each side that are looked at, `lacks` what each could not check."""

    verdicts: Mapping[tuple[str, Place], Pair[Verdict]]
    trials: Mapping[Place, Pair[Trial]]
    tests: Mapping[str, Pair[Test]]
    kernels: tuple[tuple[Kernel, ...], tuple[Kernel, ...]]
    lacks: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())


def pair(ref: Side, changed: Side) -> Pairs:
    """Match by guarantee, trial and test; by the label of the kernel only where a side has several.

    Raises CompareError where nothing is in both.
    """
    for side in (ref, changed):
        if side.kernel is not None and side.kernel not in labels(side.document):
            has = ", ".join(sorted(labels(side.document))) or "none"
            raise CompareError(f"{side.name} has no kernel {side.kernel!r}: it has {has}")
    by_label = any(len(labels(side.document)) > 1 and side.kernel is None for side in (ref, changed))
    if by_label:
        _check_kernels(ref, changed)
    pairs = Pairs(
        _match(_verdicts(ref, by_label), _verdicts(changed, by_label)),
        _match(_trials(ref, by_label), _trials(changed, by_label)),
        # Tests aren't of a kernel, so two kernels of one document share them.
        {}
        if ref.document is changed.document and ref.kernel != changed.kernel
        else _match(_tests(ref), _tests(changed)),
        (_kernels(ref), _kernels(changed)),
        (frozenset(ref.document.environment.capabilities), frozenset(changed.document.environment.capabilities)),
    )
    _check_common(ref, changed, pairs)
    return pairs


def labels(document: Document) -> set[str]:
    """The kernels of a document, also those that a hand-edited one doesn't declare."""
    found = {kernel.label for kernel in document.environment.kernels}
    settings = [part.setting for parts in (document.trials, document.verdicts) for part in parts]
    return found | {one.kernel for one in settings if one.kernel is not None}


def _check_kernels(ref: Side, changed: Side) -> None:
    mine, theirs = labels(ref.document), labels(changed.document)
    if mine and theirs and not mine & theirs:
        kernels = " and ".join(", ".join(sorted(names)) for names in (mine, theirs))
        raise CompareError(
            f"{ref.name} and {changed.name} have no kernel in common ({kernels}): choose one of each with"
            " `python -I -m pytest_tfkernel compare --kernel=A --kernel=B`"
        )


def _check_common(ref: Side, changed: Side, pairs: Pairs) -> None:
    matches: tuple[Mapping[Any, Pair[Any]], ...] = (pairs.verdicts, pairs.trials, pairs.tests)
    every = [one for match in matches for one in match.values()]
    if any(one.ref is not None and one.changed is not None for one in every):
        return
    if all(one.ref is None for one in every):
        raise CompareError(f"{ref.name} has neither verdicts nor tests that {changed.name} could be compared with")
    if all(one.changed is None for one in every):
        raise CompareError(f"{changed.name} has neither verdicts nor tests to compare with {ref.name}")
    raise CompareError(f"{ref.name} and {changed.name} have no trial and no test in common")


def _kernels(side: Side) -> tuple[Kernel, ...]:
    kernels = side.document.environment.kernels
    return tuple(one for one in kernels if side.kernel is None or one.label == side.kernel)


def _place(setting: Setting, *, by_label: bool) -> Place:
    return Place(
        setting.kernel if by_label else None, setting.provisioner, setting.example, setting.fault, setting.phase
    )


def _verdicts(side: Side, by_label: bool) -> dict[tuple[str, Place], Verdict]:  # noqa: FBT001 - see _trials
    def worst(one: Verdict, other: Verdict) -> Verdict:
        return worse(one, other, of_verdict)

    parts = (part for part in side.document.verdicts if side.shows(part.setting))
    return _collect(parts, lambda part: (part.guarantee, _place(part.setting, by_label=by_label)), worst)


def _trials(side: Side, by_label: bool) -> dict[Place, Trial]:  # noqa: FBT001 - the same for all trials of a side
    parts = (part for part in side.document.trials if side.shows(part.setting))
    return _collect(parts, lambda part: _place(part.setting, by_label=by_label), lambda _, last: last)


def _tests(side: Side) -> dict[str, Test]:
    return _collect(side.document.tests, lambda part: part.item, lambda one, other: worse(one, other, of_test))


def _collect(parts: Iterable[T], key: Callable[[T], K], choose: Callable[[T, T], T]) -> dict[K, T]:
    """By key; of two with the same one, as a document that was put together by hand may have, one is chosen."""
    found: dict[K, T] = {}
    for part in parts:
        name = key(part)
        found[name] = choose(found[name], part) if name in found else part
    return found


def _match(ref: Mapping[K, T], changed: Mapping[K, T]) -> dict[K, Pair[T]]:
    return {name: Pair(ref.get(name), changed.get(name)) for name in {**ref, **changed}}
