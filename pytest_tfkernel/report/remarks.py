"""What is said of a run where little room is: what is set apart by its name, and texts that are visible and bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_tfkernel.model.numbers import counted
from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.document import Document, Setting, Test

# Outcomes of own tests that are wrong.
BAD = ("failed", "error")
# Sequences of terminals: of colours and cursors, of titles and links, and those of two characters.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


def shortfall(document: Document) -> str:
    """Why the run is incomplete; empty where it isn't."""
    end = document.end
    if not document.complete or end is None:
        return "it was cut short, and what it didn't run is unknown"
    has = "has" if len(end.unreported) == 1 else "have"
    missing = f"{len(end.unreported)} of {counted(end.collected, 'item')} {has} no report"
    return f"{missing}, such as {end.unreported[0]}" if end.unreported else ""


def setting_name(document: Document, setting: Setting) -> str:
    """What a setting is called in the ids of the run."""
    return setting.named(labelled=len(document.environment.kernels) > 1)


def reasons_of(test: Test) -> Iterator[str]:
    """What one of the user's tests raised, and what it left behind."""
    error = ": ".join(word for word in (test.error_type, test.error_message) if word)
    if error:
        yield error
    yield from (f"left behind: {leak.what}" for leak in test.leaks)


def one_line(text: str) -> str:
    """In one line, without sequences of terminals; what else can't be seen is spelt out."""
    return printable(" ".join(_ANSI.sub("", text).split()))


def visible(text: str) -> str:
    """With its ends of lines and without sequences of terminals; what else can't be seen is spelt out."""
    text = _ANSI.sub("", text).replace("\r\n", "\n").replace("\t", "    ")
    return "\n".join(map(printable, text.split("\n")))


def clip(text: str, limit: int) -> str:
    """Its beginning and, twice as much, its end."""
    if len(text) <= limit:
        return text
    tail = limit * 2 // 3
    return f"{text[: limit - tail]} [... {counted(len(text) - limit, 'character')} left out ...] {text[-tail:]}"
