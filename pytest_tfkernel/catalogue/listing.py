"""`python -I -m pytest_tfkernel list`: its options, and what it says. Imports what is heavy when it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pytest_tfkernel.model.commands import Answer, untold

if TYPE_CHECKING:
    from pytest_tfkernel.model.trials import Capability

HELP = "what there is: guarantees, faults, phases, provisioners, and what this machine can check"

DESCRIPTION = """\
List all that has a name, each with a line; `explain NAME` says more. Exit codes: 0 listed, 2 not.
"""

_NAME = "list"
# As in `entries.KINDS`, which is imported when one is listed.
_KINDS = ("guarantees", "faults", "phases", "provisioners", "examples", "scenarios")
_CAPABILITIES = "capabilities"
# A column of names is no wider.
_WIDEST = 30


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "kinds",
        metavar="KIND",
        nargs="*",
        help=f"what to list: {', '.join((*_KINDS, _CAPABILITIES))} (default: everything)",
    )
    parser.add_argument(
        "--python",
        metavar="PATH",
        default=sys.executable,
        help="the interpreter of the kernels, about which capabilities are (default: this one)",
    )


def run(options: argparse.Namespace) -> Answer:
    """List them: exit code, and what goes to stdout and to stderr."""
    from pytest_tfkernel.model.errors import TFKernelError

    known = (*_KINDS, _CAPABILITIES)
    unknown = [one for one in options.kinds if one not in known]
    if unknown:
        return untold(_NAME, f"usage error: {unknown[0]}: unknown; choose from {', '.join(known)}")
    try:
        parts = list(_parts(options.kinds or known, options.python))
        return 0, "\n".join("".join(f"{line}\n" for line in part) for part in parts), ""
    except TFKernelError as error:
        return untold(_NAME, error)


def _parts(kinds: Iterable[str], python: str) -> Iterator[list[str]]:
    from pytest_tfkernel.catalogue.entries import entries

    every = list(entries())
    for kind in kinds:
        if kind == _CAPABILITIES:
            yield list(_capabilities(python))
        else:
            rows = [(one.name, one.summary) for one in every if one.kind == kind.removesuffix("s")]
            yield [f"{kind} ({len(rows)})", *_rows(rows)]


def _capabilities(python: str) -> Iterator[str]:
    from pytest_tfkernel.kernels.launcher import Launcher
    from pytest_tfkernel.machine.capabilities import capabilities
    from pytest_tfkernel.machine.gpus import Gpus

    launcher = Launcher()
    try:
        found = capabilities(launcher.interpreter(python), Gpus(launcher))
    finally:
        launcher.close()
    yield f"{_CAPABILITIES} here ({sum(one.available for one in found)} of {len(found)})"
    yield from _rows([(one.name, _said(one)) for one in found])


def _said(one: Capability) -> str:
    return one.summary if one.available else f"NOT HERE: {one.reason}"


def _rows(rows: list[tuple[str, str]]) -> Iterator[str]:
    widest = min(max((len(name) for name, _ in rows), default=0), _WIDEST)
    for name, summary in rows:
        yield f"  {name.ljust(widest)}  {summary}"
