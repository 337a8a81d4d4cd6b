"""What a bisection says in the end, for people and for machines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_tfkernel.model.resources import printable

FORMAT = "pytest-tfkernel bisection"
SCHEMA = 1
_LONGEST = 300


@dataclass(frozen=True)
class BisectionAnswer:
    """All of it. `last` is as `ref` was, and `first` the first one that isn't; `before` and `after` is what was seen.

    `between` both are those that could not be tried. `odd` don't fit one change, each with what it is. `absent` have no
    wheel for this Python, each with the Pythons for which there is one. `command` looks at both again.
    """

    ref: str
    changed: str
    last: str
    first: str
    on: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    releases: int
    tried: tuple[str, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    between: tuple[str, ...] = ()
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    odd: tuple[tuple[str, str], ...] = ()
    untried: int = 0
    command: str = ""

    @property
    def answer(self) -> str:
        """The first line."""
        was = "" if self.last == self.ref else f" as {self.ref} was"
        line = f"first differs in {self.first}; {self.last} is{was or ' as it was'}"
        if self.between:
            line += f"; {', '.join(self.between)} between them could not be tried, so it may be that one"
        return line


def text(told: BisectionAnswer) -> str:
    """For people."""
    return "".join(f"{printable(line)}\n" for line in _lines(told))


def as_json(told: BisectionAnswer) -> str:
    """For machines."""
    document = {"format": FORMAT, "schema": SCHEMA, "answer": told.answer, **dataclasses.asdict(told)}
    return f"{json.dumps(document, indent=1)}\n"


def _lines(told: BisectionAnswer) -> Iterator[str]:
    yield told.answer
    if told.odd:
        said = "; ".join(f"{name} is {what}" for name, what in told.odd)
        yield f"but it changed more than once: {said}"
    elif told.untried:
        yield f"that it changed once only is assumed of {told.untried} releases that were not tried"
    for name, seen in ((told.last, told.before), (told.first, told.after)):
        yield from (f"  {name}: {_short(line)}" for line in seen)
    yield f"tried {len(told.tried)} of {told.releases} releases: {', '.join(told.tried)}"
    yield from (f"skipped {name}: {_short(why)}" for name, why in told.skipped.items())
    for name, pythons in told.absent.items():
        others = f", but for {', '.join(pythons)}" if pythons else ""
        yield f"skipped {name}: no wheel for this Python{others}"
    yield f"again: {told.command}"


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}... ({len(words)} characters)"
