"""A comparison as Markdown, as it fits into a job summary of GitHub's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.compare.groups import Group, sections, shorten
from pytest_tfkernel.report.compare.text import notes, title

# GitHub refuses a summary of more than 1 MiB, and what else is in the same step counts too.
MOST_BYTES = 1_000_000
_CUT = "\nThis list is cut here: {} more lines; the JSON has them all.\n"
_MOST_PLACES = 20
# What Markdown would take for its own, and what HTML in it would.
_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~$@:-])")
_HTML = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


def markdown(found: Comparison, most_bytes: int = MOST_BYTES) -> str:
    """The answer, then tables; cut at the end of a line where it would be too long."""
    lines = [f"{line}\n" for line in _lines(found)]
    room = most_bytes - len(_CUT.format(len(lines)).encode())
    sizes = [len(line.encode("utf-8", "backslashreplace")) for line in lines]
    if sum(sizes) <= most_bytes:
        return "".join(lines)
    kept = 0
    # Not all of them fit.
    while room >= sizes[kept]:
        room -= sizes[kept]
        kept += 1
    return "".join(lines[:kept]) + _CUT.format(len(lines) - kept)


def escape(text: str) -> str:
    """A text of one line that stands in Markdown as it is, in one cell of a table."""
    escaped = printable(text)
    for mark, instead in _HTML:
        escaped = escaped.replace(mark, instead)
    return _MARKS.sub(r"\\\1", escaped)


def _lines(found: Comparison) -> Iterator[str]:
    sign = "\u274c" if found.exit_code else "\u2705"
    yield f"### {sign} {escape(found.answer)}"
    yield ""
    for note in notes(found):
        yield f"> {escape(note)}"
        yield ""
    for section in sections(found.differences):
        yield f"#### {escape(title(section))}"
        yield ""
        yield "| what | before | after | where |"
        yield "|---|---|---|---|"
        yield from (_row(group) for group in section.groups)
        yield ""
    if found.unseen:
        yield "#### Expected, but not seen"
        yield ""
        yield from (f"- {escape(shorten(f'{one} ({one.reason})'))}" for one in found.unseen)
        yield ""
    if found.surroundings:
        yield "#### What else differs"
        yield ""
        yield from (f"- {escape(shorten(line))}" for line in found.surroundings)


def _row(group: Group) -> str:
    shown = [escape(shorten(place)) for place in group.places[:_MOST_PLACES]]
    more = len(group.places) - len(shown)
    where = "<br>".join([*shown, f"and {more} more"] if more else shown)
    what = f"{escape(group.what)}<br>{escape(group.reason)}" if group.reason else escape(group.what)
    return f"| {what} | {escape(group.before)} | {escape(group.after)} | {where} |"
