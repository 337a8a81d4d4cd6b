"""`python -I -m pytest_tfkernel compare`: its options, and what it says. Imports what is heavy when it runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_tfkernel.model.commands import Answer, untold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_tfkernel.report.compare.comparison import Comparison
    from pytest_tfkernel.report.compare.expectations import Expectation
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
    _declare_recording(parser)
    parser.add_argument(
        "ref",
        metavar="REF",
        nargs="?",
        help="the run document to compare with, or a saved run: its number, its name or `last` (default: the two last"
        " saved ones are compared)",
    )
    parser.add_argument(
        "changed",
        metavar="CHANGED",
        nargs="?",
        help="the other run, by the same names (default: REF, in which --kernel then names two kernels)",
    )
    declare_rules(parser)
    parser.add_argument(
        "--kernel",
        metavar="LABEL",
        action="append",
        default=[],
        help="compare only this kernel; given twice, that of REF and that of CHANGED",
    )


def declare_rules(parser: argparse.ArgumentParser) -> None:
    """Add the options of whatever compares two runs: by which rules, and in which form the answer is printed."""
    parser.add_argument(
        "--fail-on",
        metavar="WHAT",
        action="append",
        default=[],
        help="what else makes it worse: slower:50%%, memory:20%%, changed, leak, missing or unknown; repeat it, or"
        " write commas, for several",
    )
    parser.add_argument("--expect", metavar="FILE", help="known differences, with a reason each (docs/compare.md)")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print JSON, schema 1 (docs/compare.md)")
    shape.add_argument("--markdown", action="store_true", help="print Markdown, for a job summary")
    parser.add_argument("--all", action="store_true", help="don't shorten lists in the text")


def _declare_recording(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--write-expect", metavar="FILE", help="write what makes CHANGED worse as such a file, with all of --expect"
    )
    parser.add_argument("--reason", default="", help="the reason of each of them (default: empty, for you to fill in)")


def run(options: argparse.Namespace) -> Answer:
    """Compare two documents: exit code, and what goes to stdout and to stderr."""
    from pytest_tfkernel.report.compare.differences import CompareError
    from pytest_tfkernel.report.store import DocumentError

    try:
        found, known = _compare(options)
        said = "" if options.write_expect is None else _write_expect(found, known, options)
        return found.exit_code, shown(found, options), said
    except (CompareError, DocumentError) as error:
        return untold(_NAME, error)
    except OSError as error:
        return untold(_NAME, f"{options.write_expect} can't be written: {error.strerror}")


def _compare(options: argparse.Namespace) -> tuple[Comparison, Sequence[Expectation]]:
    """What differs, and what was known of it before."""
    import dataclasses

    from pytest_tfkernel.report.compare import recording
    from pytest_tfkernel.report.compare.comparison import Yardstick, compare
    from pytest_tfkernel.report.compare.differences import CompareError
    from pytest_tfkernel.report.compare.pairs import Side

    kernels = options.kernel
    if len(kernels) > _BOTH:
        raise CompareError("usage error: --kernel may be given twice at most")
    if options.ref is not None and options.changed is None and len(kernels) != _BOTH:
        raise CompareError("usage error: name a second document, or two kernels of this one with --kernel")
    if options.reason and options.write_expect is None:
        raise CompareError("usage error: --reason is for --write-expect=FILE")
    expect = None if options.expect is None else Path(options.expect)
    path, other = _documents(options)
    if options.write_expect is not None:
        recording.check_place(Path(options.write_expect), expect, [one for one in (path, other) if one is not None])
    yardstick = Yardstick.load(path, options.fail_on, expect)
    first, last = (kernels[0], kernels[-1]) if kernels else (None, None)
    ref = dataclasses.replace(yardstick.ref, kernel=first)
    changed = Side(ref.name, ref.document, last) if other is None else Side(str(other), _load_latest(other), last)
    known = yardstick.expectations
    return compare(ref, changed, yardstick.thresholds, known), known.known


def _documents(options: argparse.Namespace) -> tuple[Path, Path | None]:
    """Where they are; the second one is None where two kernels of the first are meant."""
    from pytest_tfkernel.report.saved import SavedRuns

    saved = SavedRuns.nearest()
    if options.ref is None:
        ref, changed = saved.last_two()
        return ref, changed
    return saved.find(options.ref), None if options.changed is None else saved.find(options.changed)


def _write_expect(found: Comparison, known: Sequence[Expectation], options: argparse.Namespace) -> str:
    """Write the known differences; what is said of that."""
    from pytest_tfkernel.report.compare import recording
    from pytest_tfkernel.report.files import write

    path = Path(options.write_expect)
    every = recording.recorded(known, found.differences, options.reason)
    write(path, recording.as_file(every))
    new = len(every) - len(known)
    fill = ": fill in the reason of each, without which it is no known difference" if new and not options.reason else ""
    return f"{_NAME}: wrote {path}, with {new} new known difference{'s' if new != 1 else ''}{fill}\n"


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


def shown(found: Comparison, options: argparse.Namespace) -> str:
    """The answer in the form that the options ask for."""
    from pytest_tfkernel.report.compare import as_json, markdown, text

    if options.json:
        return as_json.as_json(found)
    return markdown.markdown(found) if options.markdown else text.text(found, everything=options.all)
