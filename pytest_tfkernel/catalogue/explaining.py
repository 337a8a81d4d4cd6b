"""`python -I -m pytest_tfkernel explain`: its options, and what it says. Imports what is heavy when it runs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_tfkernel.model.commands import Answer, untold

if TYPE_CHECKING:
    from pytest_tfkernel.catalogue.entries import CatalogueEntry

HELP = "what a guarantee or a fault is, where it is asked, and the line that runs it"

DESCRIPTION = """\
Explain a guarantee, a fault, a phase, a provisioner, an example or a scenario; the id of an item will do too.
Exit codes: 0 explained, 2 there is nothing of that name.
"""

_NAME = "explain"


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("name", metavar="NAME", help="as in `list`, or an id as in a report")


def run(options: argparse.Namespace) -> Answer:
    """Explain it: exit code, and what goes to stdout and to stderr."""
    from pytest_tfkernel.catalogue.entries import find, nearest

    found = find(options.name)
    if found:
        return 0, "\n".join("".join(f"{line}\n" for line in _lines(one)) for one in found), ""
    near = nearest(options.name)
    hint = f"did you mean {' or '.join(near)}?" if near else "`pytest-tfkernel list` shows all names"
    return untold(_NAME, f"{options.name!r} is unknown: {hint}")


def _lines(one: CatalogueEntry) -> Iterator[str]:
    yield f"{one.name} ({one.kind})"
    yield f"  {one.summary}"
    widest = max((len(title) for title, _ in one.details), default=0)
    for title, text in one.details:
        yield f"  {f'{title}:'.ljust(widest + 1)} {text}"
