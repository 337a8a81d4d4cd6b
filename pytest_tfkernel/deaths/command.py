"""`pytest-tfkernel deaths`: its options, and what it says."""

from __future__ import annotations

import argparse
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_tfkernel._child import deaths
from pytest_tfkernel.model.commands import Answer, untold
from pytest_tfkernel.model.processes import signal_name
from pytest_tfkernel.model.resources import printable

HELP = "the last deaths of your kernels: when, of what, and in which cell"

DESCRIPTION = """\
List the last 100 deaths of this user's kernels, the latest first: those of Jupyter and Spyder with the provisioner
(docs/kernel-died.md), and those of `pytest-tfkernel run`. With a NUMBER of the list, show all that is known of it.
Exit codes: 0 shown, 2 there is no such death.
"""
_NAME = "deaths"
_MOST = 100
_CELL = 60


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("number", metavar="NUMBER", type=int, nargs="?", help="show one: 1 is the latest")
    parser.add_argument("--json", action="store_true", help="print the records as JSON")


def run(options: argparse.Namespace) -> Answer:
    """List them: exit code, and what goes to stdout and to stderr."""
    place = deaths.folder(os.environ)
    found = deaths.records(place, _MOST)
    if options.number is not None:
        if not 1 <= options.number <= len(found):
            return untold(_NAME, f"there is no death {options.number}: {len(found)} are known, in {place}")
        found = [found[options.number - 1]]
    if options.json:
        return 0, f"{json.dumps(found, indent=1)}\n", ""
    if options.number is not None:
        return 0, f"{deaths.tell(found[0])}\n", ""
    if not found:
        return 0, f"no death of a kernel is known, in {place}\n", ""
    return 0, _table(found), ""


def _table(found: Sequence[deaths.DeathRecord]) -> str:
    rows: list[tuple[str, ...]] = [("", "when", "died of", "cause", "killed by", "memory", "last cell")]
    rows += [(str(number), *_row(one)) for number, one in enumerate(found, 1)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def _row(one: deaths.DeathRecord) -> tuple[str, ...]:
    usage = one.get("usage")
    memory = usage.get("max_rss") if isinstance(usage, dict) else None
    held = f"{memory / (1 << 20):.0f} MiB" if isinstance(memory, int | float) else ""
    return deaths.when(one), _status(one), _word(one.get("cause")), _word(one.get("killer")), held, _cell(one)


def _status(one: deaths.DeathRecord) -> str:
    number, code = one.get("signal"), one.get("exit_code")
    if isinstance(number, int) and 0 < number < signal.NSIG:
        return signal_name(number)
    return f"exit code {code}" if isinstance(code, int) else "?"


def _cell(one: deaths.DeathRecord) -> str:
    # Of `pytest-tfkernel run` it is a command, of which the file matters.
    name = one.get("name")
    lines = [Path(name).name] if isinstance(name, str) else str(one.get("last_cell") or "").strip().splitlines()
    number = one.get("cell_number")
    text = f"{f'[{number}] ' if number else ''}{lines[0] if lines else ''}{' ...' if len(lines) > 1 else ''}"
    return printable(text if len(text) <= _CELL else f"{text[: _CELL - 3]}...")


def _word(found: Any) -> str:
    return printable(str(found or "?"))
