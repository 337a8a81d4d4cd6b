"""Time and memory: medians over many trials, each with its spread."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_tfkernel.report.compare import processes
from pytest_tfkernel.report.compare.differences import About, Change, Difference
from pytest_tfkernel.report.compare.pairs import Pairs
from pytest_tfkernel.report.document import Test, Trial

# Fewer have no spread to speak of.
_FEWEST = 3
_SECONDS, _BYTES = "s", "bytes"
# Less than this is nothing that anybody could feel.
_LEAST = {_SECONDS: 0.001, _BYTES: float(1 << 20)}
_MIB = 1 << 20


class _Values(defaultdict[tuple[str | None, str], defaultdict[tuple[str, str], list[float]]]):
    """By whose they are (a kernel's label, if it matters, a provisioner); then by what was measured, and its unit."""

    def __init__(self) -> None:
        super().__init__(lambda: defaultdict(list))


@dataclass(frozen=True)
class Spread:
    """Many measured values: their median, its median absolute deviation, and how many they are."""

    median: float
    deviation: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Of at least one value."""
        known = list(values)
        median = statistics.median(known)
        return cls(median, statistics.median(abs(value - median) for value in known), len(known))


@dataclass(frozen=True)
class ComparedFigure:
    """One figure in both runs, over the trials or tests that both of them ran. `unit` is `s` or `bytes`."""

    kernel: str | None
    group: str
    name: str
    unit: str
    ref: Spread
    changed: Spread

    @property
    def percent(self) -> float | None:
        """How much more it is now; None for more than nothing."""
        if not self.ref.median:
            return None if self.changed.median else 0.0
        return 100 * (self.changed.median / self.ref.median - 1)

    @property
    def is_beyond_spread(self) -> bool:
        """Whether the medians are farther apart than what values differ by anyway."""
        apart = abs(self.changed.median - self.ref.median)
        enough = min(self.ref.count, self.changed.count) >= _FEWEST
        return enough and apart > max(self.ref.deviation + self.changed.deviation, _LEAST[self.unit])

    def words(self, spread: Spread) -> str:
        """`0.052 s +- 0.003`, or in MiB."""
        if self.unit == _SECONDS:
            return f"{spread.median:.3f} s +- {spread.deviation:.3f}"
        return f"{spread.median / _MIB:.1f} MiB +- {spread.deviation / _MIB:.1f}"


def figures(pairs: Pairs) -> list[ComparedFigure]:
    """All that both runs have measured."""
    ref, changed = _Values(), _Values()
    for place, trials in pairs.trials.items():
        # What only one run has would move its medians.
        if trials.ref is None or trials.changed is None or trials.ref.impossible or trials.changed.impossible:
            continue
        for values, trial in ((ref, trials.ref), (changed, trials.changed)):
            of_provisioner = values[place.kernel, place.provisioner]
            for name, unit, value in _of_trial(trial):
                of_provisioner[name, unit].append(value)
    for tests in pairs.tests.values():
        if tests.ref is not None and tests.changed is not None and _ran(tests.ref) and _ran(tests.changed):
            for values, test in ((ref, tests.ref), (changed, tests.changed)):
                values[None, "your tests"]["seconds of one", _SECONDS].append(test.seconds)
        for name, unit, before, after in processes.measured(tests):
            ref[None, processes.GROUP][name, unit].append(before)
            changed[None, processes.GROUP][name, unit].append(after)
    return list(_both(ref, changed))


def differences(found: Iterable[ComparedFigure]) -> Iterator[Difference]:
    """Those figures that differ beyond their spread."""
    for one in found:
        if one.is_beyond_spread:
            more = one.changed.median > one.ref.median
            if one.unit == _SECONDS:
                change = Change.SLOWER if more else Change.FASTER
            else:
                change = Change.MEMORY if more else Change.LESS_MEMORY
            before, after = one.words(one.ref), one.words(one.changed)
            name = f"{one.group}: {one.name}"
            yield Difference(change, About.FIGURE, name, "", one.kernel, before, after, one.percent)


def _both(ref: _Values, changed: _Values) -> Iterator[ComparedFigure]:
    for (kernel, group), measured in ref.items():
        others = changed[kernel, group]
        for (name, unit), values in measured.items():
            if (name, unit) in others:
                yield ComparedFigure(kernel, group, name, unit, Spread.of(values), Spread.of(others[name, unit]))


def _of_trial(trial: Trial) -> Iterator[tuple[str, str, float]]:
    """The time between two moments, and what was held at each."""
    yield "whole trial", _SECONDS, trial.seconds
    for one, following in zip(trial.timeline, trial.timeline[1:], strict=False):
        yield f"{one.name} to {following.name}", _SECONDS, following.seconds - one.seconds
    for moment in trial.timeline:
        if moment.memory is not None:
            yield f"memory at {moment.name}", _BYTES, float(moment.memory)
        if moment.gpu_memory is not None:
            yield f"GPU memory at {moment.name}", _BYTES, float(moment.gpu_memory)
    if trial.death is not None and trial.death.peak_memory is not None:
        yield "most memory", _BYTES, float(trial.death.peak_memory)


def _ran(test: Test) -> bool:
    return test.outcome != "skipped"
