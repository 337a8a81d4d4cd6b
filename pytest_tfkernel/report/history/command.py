"""`python -I -m pytest_tfkernel history`: its options, and what it says. Imports what is heavy when it runs."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_tfkernel.model.commands import Answer, untold

if TYPE_CHECKING:
    from pytest_tfkernel.report.history.table import History

HELP = "what changed in many runs over time, as a table and as a page with plots"

DESCRIPTION = """\
Show many runs, each written with --tfkernel-report=FOLDER/ or --tfkernel-save: a column for each, a row for each
guarantee and each test whose outcome ever changed, and the medians of restarts, post-mortems and memory.

Exit codes: 0 shown, also where some documents can't be read, which is said; 2 nothing to show, or not written.
"""

_NAME = "history"
_MISSING = "{} is missing: pip install 'pytest-tfkernel[html]'"


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "runs",
        metavar="RUN",
        nargs="*",
        help="a run document, a folder of them, or the number or name of saved runs (default: all saved ones)",
    )
    parser.add_argument("--last", metavar="N", type=int, help="only the last N of them")
    parser.add_argument("--all", action="store_true", help="don't shorten lists in the text")
    parser.add_argument("--page", metavar="FILE.html", type=Path, help="write a page with plots, too")


def run(options: argparse.Namespace) -> Answer:
    """Show them: exit code, and what goes to stdout and to stderr."""
    from pytest_tfkernel.report.history.text import text
    from pytest_tfkernel.report.store import DocumentError

    try:
        found = _read(options)
        shown = text(found, shutil.get_terminal_size((100, 24)).columns, everything=options.all)
        if options.page is not None:
            _write(options.page, found)
            shown += f"wrote {options.page}\n"
    except DocumentError as error:
        return untold(_NAME, error)
    except ModuleNotFoundError as error:
        return untold(_NAME, _MISSING.format((error.name or "a library").partition(".")[0]))
    except OSError as error:
        return untold(_NAME, f"{options.page} can't be written: {error.strerror}")
    return 0, shown, ""


def _read(options: argparse.Namespace) -> History:
    from pytest_tfkernel.report.files import same
    from pytest_tfkernel.report.history.reading import read
    from pytest_tfkernel.report.saved import FOLDER
    from pytest_tfkernel.report.store import DocumentError, check_place

    if options.last is not None and options.last < 1:
        raise DocumentError(f"usage error: --last={options.last}: how many runs?")
    paths = list(_paths(options.runs))
    if options.page is not None:
        if any(same(options.page, path) for path in paths):
            raise DocumentError(f"{options.page} is a run document: name another file for the page")
        check_place(options.page)
    found = read(paths, options.last)
    if found.runs:
        return found
    if not found.left_out:
        raise DocumentError(
            f"no run document in {', '.join(options.runs) or FOLDER}: write one with --tfkernel-report=FOLDER/ or"
            " --tfkernel-save"
        )
    many = f" (and {len(found.left_out) - 1} more that can't be read)" if len(found.left_out) > 1 else ""
    raise DocumentError(f"{found.left_out[0]}{many}")


def _paths(words: Sequence[str]) -> Iterator[Path]:
    from pytest_tfkernel.report.history.reading import documents_in
    from pytest_tfkernel.report.saved import SavedRuns
    from pytest_tfkernel.report.store import load

    saved = SavedRuns.nearest()
    if not words and saved.folder.exists():
        yield from documents_in(saved.folder)
    for word in words:
        if word and Path(word).is_dir():
            yield from documents_in(Path(word))
            continue
        for path in saved.find_all(word):
            if not path.exists():
                # It says what is known of it.
                load(path)
            yield path


def _write(path: Path, found: History) -> None:
    from pytest_tfkernel.report.files import write
    from pytest_tfkernel.report.history.page import render

    write(path, render(found))
