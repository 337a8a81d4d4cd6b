"""A comparison with a ref as the page shows it: what is worse first, each with links to its trials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_tfkernel.report.compare.comparison import Comparison, compare
from pytest_tfkernel.report.compare.differences import CompareError
from pytest_tfkernel.report.compare.groups import Group, Section, sections
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.report.compare.text import notes, title
from pytest_tfkernel.report.document import Document, Setting
from pytest_tfkernel.report.page.matrices import Position
from pytest_tfkernel.report.page.words import line

_MOST_ENTRIES = 100
_MOST_PLACES = 12
_TEXT = 400
_NAME = 160


@dataclass(frozen=True)
class ComparedEntry:
    """One difference, and where on the page its trials stand; None for one that only the ref has."""

    what: str
    before: str
    after: str
    reason: str
    places: tuple[tuple[str, Position | None], ...]
    more: int


@dataclass(frozen=True)
class ComparedPart:
    """Differences of one kind."""

    title: str
    regression: bool
    entries: tuple[ComparedEntry, ...]
    more: int


@dataclass(frozen=True)
class Compared:
    """What differs from the ref; `trouble` says why that can't be told."""

    ref: Document
    answer: str = ""
    is_worse: bool = False
    notes: tuple[str, ...] = ()
    parts: tuple[ComparedPart, ...] = ()
    surroundings: tuple[str, ...] = ()
    trouble: str = ""


def compared(document: Document, ref: Document | Comparison, places: Mapping[Setting, Position]) -> Compared:
    """Compare the document with another one, by default rules; or show what came out of comparing it by others."""
    try:
        found = ref if isinstance(ref, Comparison) else compare(Side("ref", ref), Side("this run", document))
    except CompareError as error:
        return Compared(ref_of(ref), trouble=line(str(error), _TEXT))
    names = _names(places)
    return Compared(
        ref_of(ref),
        line(found.answer, _TEXT),
        found.exit_code != 0,
        tuple(line(note, _TEXT) for note in notes(found)),
        tuple(_part(section, names) for section in sections(found.differences)),
        tuple(line(one, _TEXT) for one in found.surroundings),
    )


def ref_of(ref: Document | Comparison) -> Document:
    """The older run."""
    return ref.ref.document if isinstance(ref, Comparison) else ref


def _names(places: Mapping[Setting, Position]) -> dict[str, Position]:
    """What a comparison calls the trials."""
    names: dict[str, Position] = {}
    for setting, place in places.items():
        # Where labels matter, they are part of the name; where they don't, there is one kernel.
        names.setdefault(str(setting), place)
        if setting.kernel is not None:
            names[f"{setting} on {setting.kernel}"] = place
    return names


def _part(section: Section, names: Mapping[str, Position]) -> ComparedPart:
    few = section.groups[:_MOST_ENTRIES]
    entries = tuple(_entry(group, names) for group in few)
    return ComparedPart(title(section), section.regression, entries, len(section.groups) - len(few))


def _entry(group: Group, names: Mapping[str, Position]) -> ComparedEntry:
    what, before, after, reason = (line(text, _TEXT) for text in (group.what, group.before, group.after, group.reason))
    linked = tuple(_linked(group.places[:_MOST_PLACES], names))
    return ComparedEntry(what, before, after, reason, linked, len(group.places) - len(linked))


def _linked(trials: Iterable[str], names: Mapping[str, Position]) -> Iterable[tuple[str, Position | None]]:
    for trial in trials:
        yield line(trial, _NAME), names.get(trial)
