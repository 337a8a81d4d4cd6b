"""`python -I -m pytest_tfkernel page`: its options, and what it says. Imports what is heavy when it runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_tfkernel.model.commands import Answer, untold

HELP = "a run document as one HTML file for people"

DESCRIPTION = """\
Write a run document, made with --tfkernel-report=run.json, as one HTML file that needs no network. With --ref, it also
shows what differs from an earlier run. Exit codes: 0 written, 2 not written.
"""
_NAME = "page"
_MISSING = "{} is missing: pip install 'pytest-tfkernel[html]'"


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("document", metavar="RUN.json", type=Path, help="the run document, which may be incomplete")
    parser.add_argument(
        "output",
        metavar="RUN.html",
        type=Path,
        nargs="?",
        help="the page (default: beside the document, with the suffix .html)",
    )
    parser.add_argument("--ref", metavar="REF.json", type=Path, help="the run document to compare this one with")


def run(options: argparse.Namespace) -> Answer:
    """Write the page: exit code, and what goes to stdout and to stderr."""
    from pytest_tfkernel.report.files import same, write
    from pytest_tfkernel.report.store import DocumentError, check_place, load

    output = options.output
    try:
        document = load(options.document)
        output = output or options.document.with_suffix(".html")
        ref = None if options.ref is None else load(options.ref)
        if any(one is not None and same(output, one) for one in (options.document, options.ref)):
            return untold(_NAME, f"{output} is a run document: name another file for the page")
        check_place(output)
        from pytest_tfkernel.report.page.render import render

        text = render(document, ref)
        write(output, text)
    except DocumentError as error:
        return untold(_NAME, error)
    except ModuleNotFoundError as error:
        return untold(_NAME, _MISSING.format((error.name or "a library").partition(".")[0]))
    except OSError as error:
        return untold(_NAME, f"{output} can't be written: {error.strerror}")
    return 0, f"{output}\n", ""
