"""Annotations of GitHub Actions: what is wrong with a run, as workflow commands of a line each."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.document import Document, Test, Verdict
from pytest_tfkernel.report.needs import needs
from pytest_tfkernel.report.remarks import BAD, clip, one_line, reasons_of, setting_name, shortfall, visible

# GitHub shows that many of each type for one step, and drops the others without a word.
MOST_ANNOTATIONS = 10
_MOST_TITLE = 200
_MOST_MESSAGE = 4000
_REQUIRE = re.compile(r"--tfkernel-require[= ](\S+)")


@dataclass(frozen=True)
class Folders:
    """Where pytest's rootdir is, to which files of tests are relative, and the checkout that GitHub shows.

    Absolute, without links; both empty where they are the same, or nobody knows.
    """

    root: str = ""
    workspace: str = ""

    def place(self, test: Test) -> dict[str, str]:
        """File and line as GitHub takes them; nothing for a file that isn't in the checkout."""
        if test.file is None:
            return {}
        path = os.path.normpath(os.path.join(self.root, test.file))  # noqa: PTH118 - pathlib keeps `..`
        if self.workspace:
            path = os.path.relpath(path, self.workspace)
        is_outside = PurePath(path).is_absolute() or PurePath(path).parts[0] == os.pardir
        if is_outside or printable(path) != path:
            return {}
        return {"file": path} | ({} if test.line is None else {"line": str(test.line)})


@dataclass(frozen=True)
class _Note:
    title: str
    message: str
    place: Mapping[str, str] = field(default_factory=dict)


def annotate(document: Document, required: Collection[str] = (), folders: Folders = Folders()) -> Iterator[str]:
    """Workflow commands, a line each: errors for what fails, warnings for what was required and is UNKNOWN.

    What is KNOWN is a notice, and so is what is listed as that and holds. Capabilities are required by `required` and
    by the options of the run. There are as many as GitHub shows of each type; the last of them then says how many more
    there are. What is about a test of the user's stands at it.
    """
    yield from _capped("error", [*_failures(document, folders)])
    asked = _REQUIRE.findall(" ".join(document.environment.options))
    yield from _capped("warning", [*_warnings(document, {*required, *asked})])
    known = [one for one in document.verdicts if one.verdict == "KNOWN" or one.is_mended]
    yield from _capped("notice", [_Note(_title(document, one), one.said) for one in known])


def _failures(document: Document, folders: Folders) -> Iterator[_Note]:
    for one in document.verdicts:
        if one.verdict == "FAIL":
            yield _Note(_title(document, one), f'{one.said}\nJust this one: pytest "{one.item}"')
    for test in document.tests:
        if test.outcome in BAD:
            yield _Note(f"{test.item}: {test.outcome}", "\n".join(reasons_of(test)), folders.place(test))


def _warnings(document: Document, required: Collection[str]) -> Iterator[_Note]:
    missing = shortfall(document)
    if missing:
        yield _Note("this run is incomplete", missing)
    for one in document.verdicts:
        lacking = [name for name in required if needs(one, name)] if one.verdict == "UNKNOWN" else []
        if lacking:
            yield _Note(_title(document, one), f"{one.said}\nRequired here: {', '.join(sorted(lacking))}")


def _capped(kind: str, found: Sequence[_Note]) -> Iterator[str]:
    shown = found if len(found) <= MOST_ANNOTATIONS else found[: MOST_ANNOTATIONS - 1]
    for note in shown:
        yield _command(kind, note)
    if len(found) > len(shown):
        more = len(found) - len(shown)
        words = f"{more} more of these: GitHub shows {MOST_ANNOTATIONS} of a step"
        yield _command(kind, _Note(f"{more} more", words))


def _command(kind: str, note: _Note) -> str:
    data = _data(visible(clip(note.message, _MOST_MESSAGE)).strip("\n") or "no reason was given")
    given = {**note.place, "title": clip(one_line(note.title), _MOST_TITLE)}
    properties = ",".join(f"{name}={_property(value)}" for name, value in given.items())
    return f"::{kind} {properties}::{data}"


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _data(text: str) -> str:
    # A percent sign first: it is what the others become.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _title(document: Document, one: Verdict) -> str:
    return f"{one.verdict} {one.guarantee} [{setting_name(document, one.setting)}]"
