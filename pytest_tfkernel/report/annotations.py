"""Annotations of GitHub Actions: what is wrong with a run, as workflow commands of a line each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from pytest_tfkernel.report.document import Document, Verdict
from pytest_tfkernel.report.needs import needs
from pytest_tfkernel.report.remarks import BAD, clip, one_line, reasons_of, setting_name, shortfall, visible

# GitHub shows that many of each type for one step, and drops the others without a word.
MOST_ANNOTATIONS = 10
_MOST_TITLE = 200
_MOST_MESSAGE = 4000
_REQUIRE = re.compile(r"--tfkernel-require[= ](\S+)")


def annotate(document: Document, required: Collection[str] = ()) -> Iterator[str]:
    """Workflow commands, a line each: errors for what fails, warnings for what was required and is UNKNOWN.

    What is KNOWN is a notice, and so is what is listed as that and holds. Capabilities are required by `required` and
    by the options of the run. There are as many as GitHub shows of each type; the last of them then says how many more
    there are.
    """
    yield from _capped("error", [*_failures(document)])
    asked = _REQUIRE.findall(" ".join(document.environment.options))
    yield from _capped("warning", [*_warnings(document, {*required, *asked})])
    known = [one for one in document.verdicts if one.verdict == "KNOWN" or one.is_mended]
    yield from _capped("notice", [(_title(document, one), one.said) for one in known])


def _failures(document: Document) -> Iterator[tuple[str, str]]:
    for one in document.verdicts:
        if one.verdict == "FAIL":
            yield _title(document, one), f'{one.said}\nJust this one: pytest "{one.item}"'
    for test in document.tests:
        if test.outcome in BAD:
            yield f"{test.item}: {test.outcome}", "\n".join([*reasons_of(test)])


def _warnings(document: Document, required: Collection[str]) -> Iterator[tuple[str, str]]:
    missing = shortfall(document)
    if missing:
        yield "this run is incomplete", missing
    for one in document.verdicts:
        lacking = [name for name in required if needs(one, name)] if one.verdict == "UNKNOWN" else []
        if lacking:
            yield _title(document, one), f"{one.said}\nRequired here: {', '.join(sorted(lacking))}"


def _capped(kind: str, found: Sequence[tuple[str, str]]) -> Iterator[str]:
    shown = found if len(found) <= MOST_ANNOTATIONS else found[: MOST_ANNOTATIONS - 1]
    for title, message in shown:
        yield _command(kind, title, message)
    if len(found) > len(shown):
        more = len(found) - len(shown)
        yield _command(kind, f"{more} more", f"{more} more of these: GitHub shows {MOST_ANNOTATIONS} of a step")


def _command(kind: str, title: str, message: str) -> str:
    # A percent sign first: it is what the others become.
    data = _data(visible(clip(message, _MOST_MESSAGE)).strip("\n") or "no reason was given")
    name = _data(clip(one_line(title), _MOST_TITLE)).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{data}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _title(document: Document, one: Verdict) -> str:
    return f"{one.verdict} {one.guarantee} [{setting_name(document, one.setting)}]"
