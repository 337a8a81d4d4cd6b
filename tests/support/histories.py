"""Runs on many days, as a nightly job would keep them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

import documents
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.history.reading import read
from pytest_tfkernel.report.history.table import History
from pytest_tfkernel.report.store import encode


def on(day: int, document: parts.Document | None = None) -> parts.Document:
    """A run of this day of a year."""
    made = documents.document(3) if document is None else document
    began = dt.datetime(2026, 1, 1, 3, 15, tzinfo=dt.timezone.utc) + dt.timedelta(days=day - 1)
    return msgspec.structs.replace(made, began=began.isoformat())


def put(folder: Path, runs: Mapping[str, parts.Document] | Sequence[parts.Document]) -> list[Path]:
    """Documents on disk, by their names; or of one day after the other, as `1.json`."""
    if not isinstance(runs, Mapping):
        runs = {f"{day}.json": on(day, one) for day, one in enumerate(runs, 1)}
    for name, document in runs.items():
        (folder / name).write_bytes(encode(document))
    return [folder / name for name in runs]


def history(folder: Path, *runs: parts.Document) -> History:
    """That of these runs, of one day after the other."""
    return read(put(folder, runs))
