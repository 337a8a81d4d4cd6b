"""A comparison as JSON, for machines; docs/compare.md describes it."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_tfkernel.report.compare.comparison import Comparison
from pytest_tfkernel.report.compare.differences import Difference
from pytest_tfkernel.report.compare.figures import ComparedFigure, Spread
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.report.store import encode

# Goes up when a reader of the last one would misread a new one.
SCHEMA = 1
FORMAT = "pytest-tfkernel comparison"


def as_json(found: Comparison) -> str:
    """Everything, uncut."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "schema": SCHEMA,
        "exit": found.exit_code,
        "answer": found.answer,
        "ref": _side(found.ref),
        "changed": _side(found.changed),
        "shortfalls": list(found.shortfalls),
        "asked_for_other": found.asked_for_other or None,
        "advice": found.advice or None,
        "surroundings": list(found.surroundings),
        "differences": [_difference(one) for one in found.differences],
        "figures": [_figure(one) for one in found.figures],
        "unseen": [msgspec.to_builtins(one) for one in found.unseen],
    }
    return f"{msgspec.json.format(encode(document), indent=1).decode('utf-8')}\n"


def _side(side: Side) -> dict[str, Any]:
    document = side.document
    return {
        "name": side.name,
        "kernel": side.kernel,
        "began": document.began,
        "complete": document.complete,
        "trials": len(document.trials),
        "verdicts": len(document.verdicts),
        "tests": len(document.tests),
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "change": one.change.value,
        "regression": one.regression,
        "expected": one.expected or None,
        "about": one.about.value,
        "name": one.name or None,
        "trial": one.place or None,
        "kernel": one.kernel,
        "before": one.before,
        "after": one.after,
        "percent": one.percent,
    }


def _figure(one: ComparedFigure) -> dict[str, Any]:
    return {
        "kernel": one.kernel,
        "group": one.group,
        "name": one.name,
        "unit": one.unit,
        "ref": _spread(one.ref),
        "changed": _spread(one.changed),
        "percent": one.percent,
        "beyond_spread": one.is_beyond_spread,
    }


def _spread(spread: Spread) -> dict[str, Any]:
    return {"median": spread.median, "deviation": spread.deviation, "count": spread.count}
