"""A comparison as text, for a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.compare.groups import Group, Section, sections, shorten
from pytest_tfkernel.report.matrix import INDENT, Line

# Of one entry, and of one section.
_MOST_PLACES = 3
_MOST_GROUPS = 50


def text(found: Comparison, *, everything: bool = False) -> str:
    """All lines without colours."""
    return "".join(f"{''.join(piece for piece, _ in line)}\n" for line in lines(found, everything=everything))


def lines(found: Comparison, *, everything: bool = False) -> Iterator[Line]:
    """The answer, what must stand beside it, then all that differs; long lists are cut unless `everything`."""
    yield ((found.answer, "red" if found.exit_code else "green"),)
    yield from (((printable(line), "yellow"),) for line in notes(found))
    for section in sections(found.differences):
        yield from _section(section, everything=everything)
    if found.unseen:
        yield (("Expected, but not seen", "yellow"),)
        yield from (((f"{INDENT}{shorten(f'{one} ({one.reason})')}", ""),) for one in found.unseen)
    if found.surroundings:
        yield (("What else differs", "bold"),)
        yield from (((f"{INDENT}{shorten(line)}", ""),) for line in found.surroundings)


def notes(found: Comparison) -> Iterator[str]:
    """What limits the answer."""
    yield from found.shortfalls
    if found.asked_for_other:
        yield found.asked_for_other
    if found.advice:
        yield found.advice


def title(section: Section) -> str:
    """With the number of differences, and whether they make changed worse."""
    number = sum(len(group.places) or 1 for group in section.groups)
    return f"{section.title} ({number}{', a regression' if section.regression else ''})"


def _section(section: Section, *, everything: bool) -> Iterator[Line]:
    yield ((title(section), "red" if section.regression else "bold"),)
    shown = section.groups if everything else section.groups[:_MOST_GROUPS]
    for group in shown:
        yield from _group(group, everything=everything)
    if len(shown) < len(section.groups):
        yield ((f"{INDENT}and {len(section.groups) - len(shown)} more, which `compare --all` shows", ""),)


def _group(group: Group, *, everything: bool) -> Iterator[Line]:
    became = f": {group.before} -> {group.after}" if group.before or group.after else ""
    reason = f" [{group.reason}]" if group.reason else ""
    yield ((f"{INDENT}{group.what}", "bold"), (f"{became}{reason}", ""))
    shown = [shorten(place) for place in (group.places if everything else group.places[:_MOST_PLACES])]
    if shown:
        more = len(group.places) - len(shown)
        yield ((f"{INDENT * 2}{', '.join(shown)}{f' and {more} more' if more else ''}", ""),)
