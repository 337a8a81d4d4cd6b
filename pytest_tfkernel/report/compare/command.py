"""`python -I -m pytest_tfkernel compare`: its options, and what it says. Imports what is heavy when it runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_tfkernel.model.commands import Answer, untold

if TYPE_CHECKING:
    from pytest_tfkernel.report.compare.comparison import Comparison
    from pytest_tfkernel.report.document import Document

HELP = "what differs between two runs, and whether the second one is worse"

DESCRIPTION = """\
Say what differs between two runs, each written with --tfkernel-report=FILE.json, and whether the second is worse.

Exit codes: 0 same or better, 1 worse: a guarantee or a test fails, or was not run, or what --fail-on names;
2 can't be compared, and stderr says why in one line.
"""

_NAME = "compare"
_BOTH = 2


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("ref", metavar="REF", help="the run document to compare with")
    parser.add_argument(
        "changed",
        metavar="CHANGED",
        nargs="?",
        help="that of the other run (default: REF, in which --kernel then names two kernels)",
    )
    parser.add_argument(
        "--fail-on",
        metavar="WHAT",
        action="append",
        default=[],
        help="what else makes it worse: slower:50%%, memory:20%%, changed, leak, missing or unknown; repeat it, or"
        " write commas, for several",
    )
    parser.add_argument("--expect", metavar="FILE", help="known differences, with a reason each (docs/compare.md)")
    parser.add_argument(
        "--kernel",
        metavar="LABEL",
        action="append",
        default=[],
        help="compare only this kernel; given twice, that of REF and that of CHANGED",
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print JSON, schema 1 (docs/compare.md)")
    shape.add_argument("--markdown", action="store_true", help="print Markdown, for a job summary")
    parser.add_argument("--all", action="store_true", help="don't shorten lists in the text")


def run(options: argparse.Namespace) -> Answer:
    """Compare two documents: exit code, and what goes to stdout and to stderr."""
    from pytest_tfkernel.report.compare.differences import CompareError
    from pytest_tfkernel.report.store import DocumentError

    try:
        found = _compare(options)
        return found.exit_code, _shown(found, options), ""
    except (CompareError, DocumentError) as error:
        return untold(_NAME, error)


def _compare(options: argparse.Namespace) -> Comparison:
    import dataclasses

    from pytest_tfkernel.report.compare.comparison import Yardstick, compare
    from pytest_tfkernel.report.compare.differences import CompareError
    from pytest_tfkernel.report.compare.pairs import Side

    kernels = options.kernel
    if len(kernels) > _BOTH:
        raise CompareError("usage error: --kernel may be given twice at most")
    if options.changed is None and len(kernels) != _BOTH:
        raise CompareError("usage error: name a second document, or two kernels of this one with --kernel")
    expect = None if options.expect is None else Path(options.expect)
    yardstick = Yardstick.load(Path(options.ref), options.fail_on, expect)
    first, last = (kernels[0], kernels[-1]) if kernels else (None, None)
    ref = dataclasses.replace(yardstick.ref, kernel=first)
    if options.changed is None:
        changed = Side(ref.name, ref.document, last)
    else:
        changed = Side(options.changed, _load_latest(Path(options.changed)), last)
    return compare(ref, changed, yardstick.thresholds, yardstick.expectations)


def _load_latest(path: Path) -> Document:
    """The document, unless it isn't of the last run: what that one lost would stay hidden."""
    from pytest_tfkernel.report.compare.differences import CompareError
    from pytest_tfkernel.report.store import later_aside, load

    aside = later_aside(path)
    if aside is not None:
        raise CompareError(
            f"{path} is from an older run than {aside.name}, whose run did not finish: compare or remove that one"
        )
    return load(path)


def _shown(found: Comparison, options: argparse.Namespace) -> str:
    from pytest_tfkernel.report.compare import as_json, markdown, text

    if options.json:
        return as_json.as_json(found)
    return markdown.markdown(found) if options.markdown else text.text(found, everything=options.all)
