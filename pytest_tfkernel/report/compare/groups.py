"""Differences put together for people: the same one in forty trials is one entry."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.compare.answer import behaviour
from pytest_tfkernel.report.compare.differences import About, Change, Difference

TITLES = {
    Change.LOST: "Lost: passed, and fails now",
    Change.FAILING: "Failing now, and no FAIL before",
    Change.MISSING: "Not run",
    Change.UNKNOWN: "Not checked any more",
    Change.KNOWN: "A known defect now: passed before",
    Change.EXIT: "Ended in another way",
    Change.ERROR: "Another class of error",
    Change.MESSAGE: "Another message",
    Change.RESULT: "Another result",
    Change.FACT: "Another thing that was seen",
    Change.LEAK: "New leaks",
    Change.OUTCOME: "Another outcome",
    Change.SLOWER: "Slower",
    Change.MEMORY: "More memory",
    Change.FIXED: "Fixed: failed, and passes now",
    Change.LISTED: "A known defect now: failed before, or was not looked at",
    Change.CHECKED: "Passing now, and not looked at before",
    Change.NEW: "New",
    Change.LEAK_GONE: "Leaks that are gone",
    Change.FASTER: "Faster",
    Change.LESS_MEMORY: "Less memory",
}
# What has no before and after worth telling.
_BARE = {Change.MISSING, Change.NEW}
_LONGEST = 300


@dataclass(frozen=True)
class Group:
    """One entry: `what` became `before` -> `after` at each of `places`, which are as long as they are."""

    what: str
    before: str
    after: str
    places: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True)
class Section:
    """Entries under one title. `regression`: because of them, changed is worse."""

    title: str
    regression: bool
    groups: tuple[Group, ...]


def sections(differences: Sequence[Difference]) -> Iterator[Section]:
    """What isn't expected, by its change and the worst first; then what is."""
    unexpected = [one for one in differences if not one.expected]
    for change, title in TITLES.items():
        for regression in (True, False):
            chosen = [one for one in unexpected if one.change is change and one.regression is regression]
            if chosen:
                yield Section(title, regression, tuple(_groups(chosen)))
    expected = [one for one in differences if one.expected]
    if expected:
        yield Section("Expected", regression=False, groups=tuple(_groups(expected)))


def shorten(text: str) -> str:
    """One line that fits; the whole text is in the JSON."""
    line = " ".join(text.split())
    shown = line[:_LONGEST] if line.isprintable() else printable(line[:_LONGEST])
    return shown if len(line) <= _LONGEST else f"{shown}... ({len(text)} characters)"


def _groups(differences: Iterable[Difference]) -> Iterator[Group]:
    together: dict[tuple[str, ...], list[Difference]] = {}
    for one in differences:
        together.setdefault((*_likeness(one), one.expected), []).append(one)
    for found in together.values():
        first = found[0]
        bare = first.change in _BARE
        before, after = ("", "") if bare else (shorten(first.before), shorten(first.after))
        if first.about is About.FIGURE and first.percent is not None:
            after = f"{after} ({first.percent:+.0f} %)"
        what = _what(first, many=len(found) > 1)
        places = () if what == first.where else tuple(one.where for one in found)
        reason = f"{first.change.value}: {first.expected}" if first.expected else ""
        yield Group(shorten(what), before, after, places, shorten(reason))


def _likeness(one: Difference) -> tuple[str, ...]:
    if one.about is About.FIGURE:
        return (one.about.value, one.name, one.kernel or "")
    if one.change in _BARE:
        return (one.change.value, one.about.value, "" if one.about is About.TEST else one.name)
    if one.about is About.TEST:
        return behaviour(dataclasses.replace(one, name=""))
    return behaviour(one)


def _what(one: Difference, *, many: bool) -> str:
    if one.about is About.FIGURE:
        return one.where
    if one.about is About.TEST:
        return "your tests" if many else one.name
    return one.name or "trials"
