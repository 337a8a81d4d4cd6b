"""How time and memory moved: medians of each run, with their spread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tfkernel.report.compare.figures import Spread
from pytest_tfkernel.report.document import Document, Trial
from pytest_tfkernel.report.latencies import NOTICED, RESTART, seconds_of

SECONDS, BYTES = "s", "bytes"
_KIB = 1024.0


@dataclass(frozen=True)
class Trend:
    """One figure of one provisioner, or of the user's tests; None in a run that hasn't measured it.

    `unit` is `s` or `bytes`.
    """

    name: str
    group: str
    unit: str
    spreads: tuple[Spread | None, ...]

    @property
    def title(self) -> str:
        """What was measured, and of whom."""
        return f"{self.name}, {self.group}"

    @property
    def known(self) -> list[Spread]:
        """Those that were measured."""
        return [one for one in self.spreads if one is not None]

    @property
    def ends(self) -> tuple[float, float]:
        """The least median and the greatest one."""
        medians = [one.median for one in self.known]
        return min(medians), max(medians)

    def words(self, one: Spread) -> str:
        """`24.1 ms +- 1.2 ms of 80`."""
        return f"{amount(one.median, self.unit)} +- {amount(one.deviation, self.unit)} of {one.count}"


class Medians:
    """The figures of all runs. Runs are added in their order."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], dict[int, Spread]] = {}

    def add(self, document: Document, columns: dict[str | None, int]) -> None:
        """Note those of a run; `columns` has the place of each of its kernels, by label."""
        values: dict[tuple[str, str, str], dict[int, list[float]]] = {}
        every = sorted(set(columns.values()))
        for trial in document.trials:
            if trial.impossible:
                continue
            of = [columns[trial.setting.kernel]] if trial.setting.kernel in columns else every
            for name, unit, value in _of_trial(trial):
                self._put(values, (name, trial.setting.provisioner, unit), of, value)
        for test in document.tests:
            if test.outcome != "skipped":
                self._put(values, ("seconds of one", "your tests", SECONDS), every, test.seconds)
            if test.process is not None and test.process.peak_memory is not None:
                self._put(values, ("most memory", "your tests", BYTES), every, float(test.process.peak_memory))
        for key, by_column in values.items():
            self._found.setdefault(key, {}).update({at: Spread.of(found) for at, found in by_column.items()})

    def trends(self, columns: int) -> Iterator[Trend]:
        """All of them, each with a place for each run."""
        for name, group, unit in sorted(self._found, key=_order):
            found = self._found[name, group, unit]
            yield Trend(name, group, unit, tuple(found.get(column) for column in range(columns)))

    @staticmethod
    def _put(
        values: dict[tuple[str, str, str], dict[int, list[float]]],
        key: tuple[str, str, str],
        columns: list[int],
        value: float,
    ) -> None:
        for column in columns:
            values.setdefault(key, {}).setdefault(column, []).append(value)


_RESTART, _NOTICED, _MEMORY, _GPU = "restart", "death to post-mortem", "most memory", "most GPU memory"
_NAMES = (_RESTART, _NOTICED, _MEMORY, _GPU)


def _order(key: tuple[str, str, str]) -> tuple[int, str]:
    name, group, _ = key
    return (_NAMES.index(name) if name in _NAMES else len(_NAMES), group)


def _of_trial(trial: Trial) -> Iterator[tuple[str, str, float]]:
    for name, latency in ((_RESTART, RESTART), (_NOTICED, NOTICED)):
        seconds = seconds_of(trial.timeline, latency)
        if seconds is not None:
            yield name, SECONDS, seconds
    memory = [moment.memory for moment in trial.timeline if moment.memory is not None]
    if memory:
        yield _MEMORY, BYTES, float(max(memory))
    gpu = [moment.gpu_memory for moment in trial.timeline if moment.gpu_memory is not None]
    if gpu:
        yield _GPU, BYTES, float(max(gpu))


def amount(value: float, unit: str) -> str:
    """Three digits, in a unit that people read."""
    if unit == SECONDS:
        if abs(value) >= 1 or not value:
            return f"{value:.3g} s"
        return f"{value * 1e3:.3g} ms" if abs(value) >= 1e-3 else f"{value * 1e6:.3g} us"  # noqa: PLR2004 - a ms
    for name in ("B", "KiB", "MiB"):
        if abs(value) < _KIB:
            return f"{value:.3g} {name}" if abs(value) < 999.5 else f"{value:.0f} {name}"  # noqa: PLR2004 - no 1e+03
        value /= _KIB
    return f"{value:.1f} GiB"
