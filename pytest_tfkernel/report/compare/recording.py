"""A file of known differences made of a comparison: what makes changed worse now, and is to be expected from now on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from pytest_tfkernel.report.compare.alike import normal
from pytest_tfkernel.report.compare.differences import About, CompareError, Difference
from pytest_tfkernel.report.compare.expectations import Expectation, Expectations
from pytest_tfkernel.report.files import same
from pytest_tfkernel.report.store import encode

# What stands for what differs from run to run.
_VARYING = re.compile(r"<(?:number|id|address|time|path|python)>")
_LONGEST = 160


def check_place(path: Path, expect: Path | None, documents: Sequence[Path]) -> None:
    """Raise CompareError where something would be lost: a document, or the reasons of a file that isn't also read."""
    if any(same(path, one) for one in documents):
        raise CompareError(f"{path} is a run document: name another file for the known differences")
    if path.exists() and (expect is None or not same(path, expect)):
        raise CompareError(
            f"{path} exists: give --expect={path} too, so that what it knows is kept, or name another one"
        )


def recorded(known: Sequence[Expectation], differences: Sequence[Difference], reason: str) -> list[Expectation]:
    """What was known, and an entry for each difference that makes changed worse."""
    return [*known, *dict.fromkeys(_entries(differences, reason))]


def as_file(known: Sequence[Expectation]) -> str:
    """The text of the file."""
    return f"{msgspec.json.format(encode(list(known)), indent=1).decode('utf-8')}\n"


def _entries(differences: Sequence[Difference], reason: str) -> Iterator[Expectation]:
    for one in differences:
        if not one.regression:
            continue
        field = {About.GUARANTEE: "guarantee", About.TEST: "test", About.FIGURE: "figure"}.get(one.about)
        names = {field: one.name} if field is not None else {}
        if one.place:
            names["trial"] = one.place
        if one.kernel is not None:
            names["kernel"] = one.kernel
        known = Expectation(reason=reason, change=one.change.value, **names)
        now = _pattern(one.after) if one.about is not About.FIGURE else "*"
        exact = msgspec.structs.replace(known, now=now)
        yield exact if Expectations([exact]).reasons([one])[1] == [] else known


def _pattern(text: str) -> str:
    """What fits the same text of another run."""
    shown = _VARYING.sub("*", normal(text))
    return f"{shown[:_LONGEST]}*" if len(shown) > _LONGEST else shown
