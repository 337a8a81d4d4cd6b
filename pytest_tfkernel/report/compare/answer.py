"""The first line of a comparison: the answer in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.compare.alike import normal
from pytest_tfkernel.report.compare.differences import BEHAVIOURS, About, Change, Difference
from pytest_tfkernel.report.compare.pairs import Pairs
from pytest_tfkernel.report.compare.whose import has_trials


def answer(
    names: tuple[str, str], pairs: Pairs, differences: Sequence[Difference], *, whole: bool, beside: str = ""
) -> str:
    """One line. `names` are what the two runs are called; `whole`: changed came to its end.

    `beside` says under what your tests ran, where that isn't what the runs are called by.
    """
    unexpected = [one for one in differences if not one.expected]
    clauses = []
    if has_trials(pairs):
        ours = [one for one in unexpected if one.about in {About.GUARANTEE, About.TRIAL}]
        verdicts = sum(one.ref is not None for one in pairs.verdicts.values())
        clauses.append(", ".join(_of_guarantees(ours, verdicts)))
    if pairs.tests:
        own = [one for one in unexpected if one.about is About.TEST]
        clauses.append(", ".join(_of_tests(own, len(pairs.tests), beside)))
    measured = sum(one.about is About.FIGURE and one.regression for one in unexpected)
    if measured:
        clauses.append(f"{_count(measured, 'median')} of time or memory beyond the limit")
    expected = len(differences) - len(unexpected)
    if expected:
        clauses.append(f"{_count(expected, 'difference')} expected")
    if not whole:
        clauses.append("changed is incomplete")
    return printable(f"{names[0]} -> {names[1]}: {'; '.join(clauses)}")


def behaviour(one: Difference) -> tuple[str, ...]:
    """What makes a changed behaviour one and the same in many trials."""
    alike = one.alike or (normal(one.before), normal(one.after))
    return (one.change.value, one.about.value, one.name, *alike)


def _of_guarantees(found: Sequence[Difference], verdicts: int) -> Iterator[str]:
    lost = _guarantees(found, Change.LOST)
    yield f"{_count(len(lost), 'guarantee')} lost" if lost else "no guarantee lost"
    failing = _guarantees(found, Change.FAILING)
    if failing:
        yield f"{_count(len(failing), 'guarantee')} newly failing"
    fixed = _guarantees(found, Change.FIXED)
    if fixed:
        yield f"{len(fixed)} fixed"
    changed = len({behaviour(one) for one in found if one.change in BEHAVIOURS})
    yield f"{_count(changed, 'behaviour') if changed else 'no behaviour'} changed"
    unknown = _number(found, Change.UNKNOWN)
    if unknown:
        yield f"{unknown} of {_count(verdicts, 'verdict')} not checked any more"
    missing = [one.about for one in found if one.change is Change.MISSING]
    if About.GUARANTEE in missing:
        yield f"{missing.count(About.GUARANTEE)} of {_count(verdicts, 'verdict')} not run"
    if About.TRIAL in missing:
        yield f"{_count(missing.count(About.TRIAL), 'trial')} without verdicts not run"


def _of_tests(found: Sequence[Difference], tests: int, beside: str) -> Iterator[str]:
    lost = _number(found, Change.LOST)
    where = f", {beside}," if beside else ""
    yield f"of your {_count(tests, 'test')}{where} {_fail(lost) if lost else 'none fails'} that passed"
    failing = _number(found, Change.FAILING)
    if failing:
        yield f"{_fail(failing)} that ref didn't run"
    fixed = _number(found, Change.FIXED)
    if fixed:
        yield f"{fixed} fixed"
    changed = len({one.name for one in found if one.change in BEHAVIOURS})
    if changed:
        yield f"{changed} changed"
    unknown = _number(found, Change.UNKNOWN)
    if unknown:
        yield f"{unknown} skipped that ref ran"
    missing = _number(found, Change.MISSING)
    if missing:
        yield f"{missing} not run"


def _guarantees(found: Iterable[Difference], change: Change) -> set[str]:
    return {one.name for one in found if one.change is change}


def _number(found: Iterable[Difference], change: Change) -> int:
    return sum(one.change is change for one in found)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _fail(number: int) -> str:
    return f"{number} fails" if number == 1 else f"{number} fail"
