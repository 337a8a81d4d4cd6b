"""Documents become a history one after the other: of 200 runs, never more than one is in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from pytest_tfkernel.report.history.outcomes import Outcomes
from pytest_tfkernel.report.history.runs import RunColumn, columns_of, instant
from pytest_tfkernel.report.history.table import History, counted, rows
from pytest_tfkernel.report.history.trends import Medians
from pytest_tfkernel.report.naming import began_by
from pytest_tfkernel.report.store import INCOMPLETE, DocumentError, load

_ENDINGS = (".json", f".json{INCOMPLETE}")


class _Began(msgspec.Struct):
    began: str = ""


def documents_in(folder: Path) -> Iterator[Path]:
    """What may be a run document there, also of runs that were cut short; not in folders below."""
    try:
        yield from sorted(path for path in folder.iterdir() if path.name.endswith(_ENDINGS) and path.is_file())
    except OSError as error:
        raise DocumentError(f"{folder} can't be read: {error.strerror}") from None


def read(paths: Iterable[Path], last: int | None = None) -> History:
    """The history of these runs, in the order in which they began; of the `last` ones only, if that is given."""
    found = in_order(paths)
    outcomes, measured = Outcomes(), Medians()
    runs: list[RunColumn] = []
    left_out = []
    for path in found if last is None else found[-last:]:
        try:
            document = load(path)
        except DocumentError as error:
            left_out.append(str(error))
            continue
        columns: dict[str | None, int] = {}
        for label, run in columns_of(path.name, document):
            columns[label] = len(runs)
            runs.append(run)
        outcomes.add(document, columns)
        measured.add(document, columns)
    guarantees, tests = rows(outcomes, len(runs))
    return History(
        runs=tuple(runs),
        guarantees=guarantees,
        tests=tests,
        counted=counted(outcomes, len(runs)),
        trends=tuple(measured.trends(len(runs))),
        left_out=tuple(left_out),
    )


def in_order(paths: Iterable[Path]) -> Sequence[Path]:
    """Each file once, those first that began first; what doesn't say when is before all others."""
    once: dict[object, Path] = {}
    for path in paths:
        once.setdefault(_identity(path), path)
    return sorted(once.values(), key=lambda path: instant(_began(path)))


def _identity(path: Path) -> object:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return str(path)
    return found.st_dev, found.st_ino


def _began(path: Path) -> str:
    """When the run of a document began: by its name where that is of ours, else without reading the rest of it."""
    named = began_by(path.name)
    if named:
        return named
    try:
        # What comes through a pipe can be read once only.
        data = path.read_bytes() if path.is_file() else b""
    except (OSError, ValueError):
        return ""
    # A whole document, or the lines of one that is none yet.
    for text in (data, data.partition(b"\n")[0]):
        try:
            return msgspec.json.decode(text, type=_Began).began
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return ""
